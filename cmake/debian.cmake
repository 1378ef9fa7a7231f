# What Debian wants otherwise, in the folder that becomes the package: its Python, a copyright and a
# changelog of its own form, and zsh's completion where its zsh looks. Run by CPack, whatever it makes.

if(NOT CPACK_GENERATOR STREQUAL "DEB")
  return()
endif()

set(usr ${CPACK_TEMPORARY_INSTALL_DIRECTORY}/usr)
set(doc ${usr}/share/doc/vmcommit)

file(READ ${usr}/bin/vmcommit command)
string(REGEX REPLACE "VMCOMMIT_PYTHON:-'[^']*'" "VMCOMMIT_PYTHON:-'/usr/bin/python3'" command
                     "${command}")
file(WRITE ${usr}/bin/vmcommit "${command}")

file(MAKE_DIRECTORY ${usr}/share/zsh/vendor-completions)
file(RENAME ${usr}/share/zsh/site-functions/_vmcommit ${usr}/share/zsh/vendor-completions/_vmcommit)
file(REMOVE_RECURSE ${usr}/share/zsh/site-functions)

file(COPY_FILE ${CMAKE_CURRENT_LIST_DIR}/../packaging/copyright ${doc}/copyright)
file(COPY_FILE ${doc}/CHANGELOG.md ${doc}/changelog)
string(TIMESTAMP now "%a, %d %b %Y %H:%M:%S +0000" UTC)
file(WRITE ${doc}/changelog.Debian
"vmcommit (${CPACK_PACKAGE_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE}) unstable; urgency=medium

  * What changed is in changelog.gz.

 -- ${CPACK_PACKAGE_CONTACT}  ${now}
")
file(GLOB pages ${usr}/share/man/man1/*.1)
execute_process(COMMAND gzip -9n ${doc}/changelog ${doc}/changelog.Debian ${pages}
                COMMAND_ERROR_IS_FATAL ANY)
file(CHMOD_RECURSE ${usr} FILE_PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ
     DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE
                           WORLD_READ WORLD_EXECUTE)
file(GLOB programs ${usr}/libexec/vmcommit/bin/*)
list(FILTER programs EXCLUDE REGEX "\\.(so|txt)$")
file(CHMOD ${programs} ${usr}/bin/vmcommit ${usr}/share/vmcommit/one-host
     PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ
                 WORLD_EXECUTE)
