# test/unit/<room>/<file>_test.c becomes the program and the test <room>_<file>.
# Helpers shared by the tests of a room are its other .c files.
add_library(assay_test STATIC test/unit/test.c)
target_include_directories(assay_test PUBLIC test/unit test)
target_compile_definitions(assay_test PUBLIC
    TEST_DATA_DEFAULT="${CMAKE_SOURCE_DIR}/../shared/data")
target_link_libraries(assay_test PUBLIC assay_app)

file(GLOB ASSAY_SIM_SOURCES CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/test/sim/sim_*.c)
if(ASSAY_SIM_SOURCES)
    add_library(assay_sim STATIC ${ASSAY_SIM_SOURCES})
    target_include_directories(assay_sim PUBLIC test/sim)
    target_link_libraries(assay_sim PUBLIC assay_test)
    set(ASSAY_TEST_LIBRARY assay_sim)
else()
    set(ASSAY_TEST_LIBRARY assay_test)
endif()

file(GLOB rooms CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/test/unit/*)
foreach(folder ${rooms})
    if(NOT IS_DIRECTORY ${folder})
        continue()
    endif()
    get_filename_component(room ${folder} NAME)
    file(GLOB sources CONFIGURE_DEPENDS ${folder}/*_test.c)
    file(GLOB helpers CONFIGURE_DEPENDS ${folder}/*.c)
    list(FILTER helpers EXCLUDE REGEX "_test\\.c$")
    foreach(source ${sources})
        get_filename_component(name ${source} NAME_WE)
        string(REGEX REPLACE "_test$" "" name ${name})
        set(target test_${room}_${name})
        add_executable(${target} ${source} ${helpers})
        set_target_properties(${target} PROPERTIES
            RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/test)
        target_link_libraries(${target} PRIVATE ${ASSAY_TEST_LIBRARY})
        add_test(NAME ${room}_${name} COMMAND ${target})
        set_tests_properties(${room}_${name} PROPERTIES LABELS unit TIMEOUT 600)
    endforeach()
endforeach()

# The chain engine on the simulated disk: its source says how to ask for a seed.
if(ASSAY_SIM_SOURCES)
    add_executable(sim_chain test/sim/chain_main.c test/unit/chain/branches.c)
    set_target_properties(sim_chain PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/test)
    target_include_directories(sim_chain PRIVATE test/unit/chain)
    target_link_libraries(sim_chain PRIVATE assay_sim)
    add_test(NAME sim_chain COMMAND sim_chain)
    set_tests_properties(sim_chain PROPERTIES LABELS unit TIMEOUT 600)
    add_test(NAME sim_chain_long COMMAND sim_chain --seed 1000 --seeds 1000)
    add_test(NAME sim_chain_every COMMAND sim_chain --every 1)
    set_tests_properties(sim_chain_long sim_chain_every PROPERTIES LABELS slow TIMEOUT 7200)

    # Whole nodes on the simulated network: net_main.c says how to ask for a seed.
    file(GLOB net_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/test/sim/net_*.c)
    add_executable(sim_net ${net_sources})
    set_target_properties(sim_net PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/test)
    target_link_libraries(sim_net PRIVATE assay_sim)
    add_test(NAME sim_net COMMAND sim_net)
    set_tests_properties(sim_net PROPERTIES LABELS unit TIMEOUT 600)
    add_test(NAME sim_net_long COMMAND sim_net --seed 1000 --seeds 1000)
    set_tests_properties(sim_net_long PROPERTIES LABELS slow TIMEOUT 7200)
endif()

# The naive models that fuzz targets and soaks compare with, and the makers of hostile
# inputs, are helpers of unit tests, too.
file(GLOB models CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/test/unit/*/naive_*.c
    ${CMAKE_SOURCE_DIR}/test/unit/*/hostile_*.c)
if(models)
    add_library(assay_models STATIC ${models})
    target_link_libraries(assay_models PUBLIC ${ASSAY_TEST_LIBRARY})
else()
    add_library(assay_models ALIAS ${ASSAY_TEST_LIBRARY})
endif()

# test/fuzz/fuzz_<name>.c: with libFuzzer a fuzzer, else a program that replays
# test/fuzz/corpus/<name>/.
file(GLOB targets CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/test/fuzz/fuzz_*.c)
list(FILTER targets EXCLUDE REGEX "/fuzz_main\\.c$")
foreach(source ${targets})
    get_filename_component(target ${source} NAME_WE)
    string(REGEX REPLACE "^fuzz_" "" name ${target})
    if(ASSAY_FUZZ)
        add_executable(${target} ${source})
        target_link_options(${target} PRIVATE -fsanitize=fuzzer)
    else()
        add_executable(${target} ${source} test/fuzz/fuzz_main.c)
        add_test(NAME fuzz_${name}
            COMMAND ${target} ${CMAKE_SOURCE_DIR}/test/fuzz/corpus/${name})
        set_tests_properties(fuzz_${name} PROPERTIES LABELS fuzz TIMEOUT 600)
    endif()
    set_target_properties(${target} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/test)
    target_link_libraries(${target} PRIVATE assay_models)
endforeach()

# test/soak/soak_<name>.c: the same comparisons for hours. Under CTest a soak runs a
# bounded share, with the label slow.
file(GLOB soaks CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/test/soak/soak_*.c)
foreach(source ${soaks})
    get_filename_component(target ${source} NAME_WE)
    add_executable(${target} ${source})
    set_target_properties(${target} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/test)
    target_link_libraries(${target} PRIVATE assay_models)
    add_test(NAME ${target} COMMAND ${target})
    set_tests_properties(${target} PROPERTIES LABELS slow TIMEOUT 1800)
endforeach()

# test/functional/<name>.py drives the real programs; <name>_long, with the label
# slow, does the same for longer. node.py and story.py are what they share.
find_program(ASSAY_PYTHON python3)
file(GLOB scripts CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/test/functional/*.py)
list(FILTER scripts EXCLUDE REGEX "/(node|story)\\.py$")
if(ASSAY_PYTHON AND NOT ASSAY_FUZZ)
    foreach(script ${scripts})
        get_filename_component(name ${script} NAME_WE)
        add_test(NAME functional_${name}
            COMMAND ${ASSAY_PYTHON} ${script} ${CMAKE_BINARY_DIR})
        set_tests_properties(functional_${name} PROPERTIES LABELS functional TIMEOUT 600
            SKIP_RETURN_CODE 77)
        add_test(NAME functional_${name}_long
            COMMAND ${ASSAY_PYTHON} ${script} ${CMAKE_BINARY_DIR} --long)
        set_tests_properties(functional_${name}_long PROPERTIES LABELS slow TIMEOUT 3600
            SKIP_RETURN_CODE 77)
    endforeach()
endif()
