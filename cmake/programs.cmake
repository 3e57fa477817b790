# Each program's main is src/app/main_<program>.c ('-' as '_'); the other files
# of the room are shared by them.
file(GLOB ASSAY_APP_SOURCES CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/app/*.c)
set(ASSAY_MAINS ${ASSAY_APP_SOURCES})
list(FILTER ASSAY_MAINS INCLUDE REGEX "/main_[a-z_]+\\.c$")
list(FILTER ASSAY_APP_SOURCES EXCLUDE REGEX "/main_[a-z_]+\\.c$")
if(ASSAY_APP_SOURCES)
    add_library(assay_app STATIC ${ASSAY_APP_SOURCES})
    target_link_libraries(assay_app PUBLIC assay_rooms)
else()
    add_library(assay_app ALIAS assay_rooms)
endif()
foreach(source ${ASSAY_MAINS})
    get_filename_component(name ${source} NAME_WE)
    string(REPLACE "main_" "" name ${name})
    string(REPLACE "_" "-" name ${name})
    add_executable(${name} ${source})
    target_link_libraries(${name} PRIVATE assay_app)
    install(TARGETS ${name} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endforeach()

file(GLOB pages CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/docs/man/*.1)
install(FILES ${pages} DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)

install(FILES ${CMAKE_SOURCE_DIR}/tools/completion/assay-cli.bash
    DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME assay-cli)
