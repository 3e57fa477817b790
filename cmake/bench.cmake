# bench/bench_*.c: one program each, in build/bench. They measure and do
# not judge, so no test runs them.
add_custom_target(bench_programs)
file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/bench/bench_*.c)
foreach(source ${sources})
    get_filename_component(target ${source} NAME_WE)
    add_executable(${target} ${source})
    set_target_properties(${target} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bench)
    target_link_libraries(${target} PRIVATE assay_app)
    add_dependencies(bench_programs ${target})
endforeach()

# The stores that ours is compared with, where they are installed.
target_sources(bench_coins PRIVATE bench/coins_assay.c)
pkg_check_modules(LMDB IMPORTED_TARGET lmdb)
if(LMDB_FOUND)
    target_sources(bench_coins PRIVATE bench/coins_lmdb.c)
    target_compile_definitions(bench_coins PRIVATE BENCH_LMDB)
    target_link_libraries(bench_coins PRIVATE PkgConfig::LMDB)
endif()
find_library(ROCKSDB_LIBRARY rocksdb)
if(ROCKSDB_LIBRARY)
    target_sources(bench_coins PRIVATE bench/coins_rocksdb.c)
    target_compile_definitions(bench_coins PRIVATE BENCH_ROCKSDB)
    target_link_libraries(bench_coins PRIVATE ${ROCKSDB_LIBRARY})
endif()

# The tests' small chain under a mempool.
if(ASSAY_TESTS)
    target_sources(bench_template PRIVATE test/unit/mempool/naive_ground.c)
    target_include_directories(bench_template PRIVATE test/unit/mempool test/unit)
    target_link_libraries(bench_template PRIVATE assay_test)
else()
    set_target_properties(bench_template PROPERTIES EXCLUDE_FROM_ALL ON)
endif()

# cmake --build BUILD --target bench: what needs no chain, and the race over a chain
# where ASSAY_CHAIN names one (ASSAY_CORE: a folder with bitcoind to race against).
add_custom_target(bench
    COMMAND bench_sha256
    COMMAND bench_sigbatch
    COMMAND bench_script
    COMMAND bench_worst
    COMMAND bench_worst_block
    COMMAND bench_graph
    COMMAND bench_miner
    COMMAND bench_template
    COMMAND bench_coins assay 500000 1024 500 ${CMAKE_BINARY_DIR}/bench/coins
    COMMAND ${CMAKE_SOURCE_DIR}/bench/race.sh ${CMAKE_BINARY_DIR}
    DEPENDS bench_programs assayd
    USES_TERMINAL)
