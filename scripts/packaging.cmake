# `cmake --install` and CPack. The program goes to bin/, what it starts and preloads to lib/heapmill/{bin,lib}, where
# run/registry.c looks; man pages and completions are made by the program itself. Nothing else is read at run time: the
# gnuplot scripts are compiled in. Of the build only the target `programs` is needed.
include(GNUInstallDirs)
set(pages ${CMAKE_BINARY_DIR}/man)
set(completions ${CMAKE_BINARY_DIR}/completions)
add_custom_command(OUTPUT ${pages}/heapmill.1 ${completions}/heapmill
  COMMAND ${CMAKE_COMMAND} -E rm -rf ${pages} ${completions}
  COMMAND heapmill manual -o ${pages}
  COMMAND ${CMAKE_COMMAND} -E make_directory ${completions}
  COMMAND heapmill completion bash > ${completions}/heapmill
  COMMAND heapmill completion zsh > ${completions}/_heapmill
  COMMAND heapmill completion fish > ${completions}/heapmill.fish
  DEPENDS heapmill VERBATIM)
add_custom_target(manual DEPENDS ${pages}/heapmill.1 ${completions}/heapmill)
add_dependencies(programs manual)
if(HEAPMILL_SANITIZE)
  return() # has no preload libraries, and nobody installs it
endif()

set(home lib/heapmill)
list(REMOVE_ITEM programs heapmill)
# Workers of call arms are linked with their back end's library.
set(across ${programs})
list(FILTER across INCLUDE REGEX "^heapmill-.*\\.call")
set_target_properties(${across} PROPERTIES INSTALL_RPATH "\$ORIGIN/../lib")
install(TARGETS heapmill RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(TARGETS ${programs} ${preloads} RUNTIME DESTINATION ${home}/bin LIBRARY DESTINATION ${home}/lib)
install(DIRECTORY traces/reference/ DESTINATION ${home}/traces FILES_MATCHING PATTERN "*.hmtrace"
  PATTERN programs EXCLUDE)
install(DIRECTORY ${pages}/ DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES ${completions}/heapmill DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
# Debian's zsh looks there under /usr, and in site-functions under /usr/local.
install(FILES ${completions}/_heapmill DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions)
install(FILES ${completions}/_heapmill DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
install(FILES ${completions}/heapmill.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
install(FILES README.md LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})

# `cpack` in a build tree whose `programs` are built. What the files are linked with is found by dpkg-shlibdeps.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME heapmill)
set(CPACK_PACKAGE_CONTACT "The authors of heapmill <heapmill@example.org>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION}")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION devel)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
# packaging_packages(OUT PATTERN): of the rows of scripts/packages that match, as a relation of Debian's, those that are
# no headers.
function(packaging_packages out pattern)
  file(STRINGS scripts/packages rows REGEX "${pattern}")
  list(FILTER rows EXCLUDE REGEX "-dev")
  list(TRANSFORM rows REPLACE "^[a-z]+ +[a-z]+ +" "")
  list(TRANSFORM rows REPLACE "\\|" " | ")
  list(JOIN rows ", " packages)
  set(${out} "${packages}" PARENT_SCOPE)
endfunction()
packaging_packages(CPACK_DEBIAN_PACKAGE_RECOMMENDS "^needed gnuplot ")
packaging_packages(CPACK_DEBIAN_PACKAGE_SUGGESTS "^peer ")
include(CPack)
