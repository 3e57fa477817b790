# libassay: the rooms with only the published names visible, shared and static,
# with a pkg-config file and a CMake package.
include(CMakePackageConfigHelpers)

set(ASSAY_SOVERSION 0)
add_library(assay SHARED $<TARGET_OBJECTS:assay_api>)
target_link_libraries(assay PRIVATE assay_rooms)
# What only the daemon needs of them (libuv) is nothing the library asks for.
target_link_options(assay PRIVATE -Wl,--as-needed)
target_include_directories(assay INTERFACE $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
set_target_properties(assay PROPERTIES VERSION ${PROJECT_VERSION} SOVERSION ${ASSAY_SOVERSION})

# The static library is one object in which every hidden name has become local,
# so that a program may have its own alloc() or sha256().
set(static_archive ${CMAKE_BINARY_DIR}/libassay.a)
add_custom_command(
    OUTPUT ${static_archive}
    COMMAND ${CMAKE_LINKER} -r -o libassay.o $<TARGET_OBJECTS:assay_api> $<TARGET_FILE:assay_rooms>
    COMMAND ${CMAKE_OBJCOPY} --localize-hidden libassay.o
    COMMAND ${CMAKE_COMMAND} -E rm -f ${static_archive}
    COMMAND ${CMAKE_AR} qcs ${static_archive} libassay.o
    COMMAND ${CMAKE_COMMAND} -E rm -f libassay.o
    WORKING_DIRECTORY ${CMAKE_BINARY_DIR}
    DEPENDS assay_api assay_rooms $<TARGET_OBJECTS:assay_api>
    COMMAND_EXPAND_LISTS
    VERBATIM)
add_custom_target(assay_static ALL DEPENDS ${static_archive})

configure_file(cmake/assay.pc.in assay.pc @ONLY)
configure_package_config_file(cmake/assayConfig.cmake.in assayConfig.cmake
    INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/assay)
write_basic_package_version_file(assayConfigVersion.cmake COMPATIBILITY SameMinorVersion)

install(TARGETS assay EXPORT assayTargets LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(FILES ${static_archive} DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY include/assay DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(FILES ${CMAKE_BINARY_DIR}/assay.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
install(EXPORT assayTargets NAMESPACE assay:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/assay)
install(FILES ${CMAKE_BINARY_DIR}/assayConfig.cmake ${CMAKE_BINARY_DIR}/assayConfigVersion.cmake
    DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/assay)
