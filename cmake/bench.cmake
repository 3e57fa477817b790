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
