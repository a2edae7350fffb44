# What `cmake --install` lays out beside the libraries of the folders, and the .deb that cpack makes of it.
#
#   bin/sluice                                   finds Arrow's libraries in lib/sluice by its run path
#   lib/sluice/                                  Arrow of the wheel (cmake/FindSluiceArrow.cmake), sluice-jq
#   etc/sluice/sluice.toml                       the documented sample; in /etc where the prefix is /usr
#   share/bash-completion, share/zsh             completion
#   lib/systemd/system                           the service
#   lib, include, lib/cmake/sluice               the client SDK (client/CMakeLists.txt)
install(TARGETS sluice RUNTIME DESTINATION bin)
install(FILES "${PROJECT_SOURCE_DIR}/tools/package/sluice.service" DESTINATION lib/systemd/system)
install(FILES README.md LICENSE DESTINATION share/doc/sluice)
install(DIRECTORY docs DESTINATION share/doc/sluice)

# The completions come out of the program itself.
set(completions)
foreach(shell bash zsh)
  set(completion "${PROJECT_BINARY_DIR}/completions/sluice.${shell}")
  add_custom_command(OUTPUT "${completion}"
    COMMAND sh -c "\"$<TARGET_FILE:sluice>\" completion ${shell} > \"${completion}\"" DEPENDS sluice VERBATIM)
  list(APPEND completions "${completion}")
endforeach()
file(MAKE_DIRECTORY "${PROJECT_BINARY_DIR}/completions")
add_custom_target(sluice_completions ALL DEPENDS ${completions})
install(FILES "${PROJECT_BINARY_DIR}/completions/sluice.bash" DESTINATION share/bash-completion/completions RENAME sluice)
install(FILES "${PROJECT_BINARY_DIR}/completions/sluice.zsh" DESTINATION share/zsh/vendor-completions RENAME _sluice)

# The packaged file names the package's directories, so that an operator sees where records and lake are.
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/broker/sluice.toml")
file(READ "${PROJECT_SOURCE_DIR}/broker/sluice.toml" packaged)
foreach(place data lake)
  if(NOT packaged MATCHES "\"sluice-${place}\"")
    message(FATAL_ERROR "broker/sluice.toml names no directory \"sluice-${place}\"; adapt cmake/SluiceInstall.cmake")
  endif()
  string(REPLACE "\"sluice-${place}\"" "\"/var/lib/sluice/${place}\"" packaged "${packaged}")
endforeach()
file(WRITE "${PROJECT_BINARY_DIR}/package/sluice.toml" "${packaged}")
install(CODE "
  if(CMAKE_INSTALL_PREFIX STREQUAL \"/usr\")
    set(etc /etc)
  else()
    set(etc \"\${CMAKE_INSTALL_PREFIX}/etc\")
  endif()
  file(INSTALL DESTINATION \"\${etc}/sluice\" TYPE FILE FILES \"${PROJECT_BINARY_DIR}/package/sluice.toml\")")

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME sluice)
set(CPACK_PACKAGE_VENDOR "Sluice")
set(CPACK_PACKAGE_CONTACT "Sluice maintainers <sluice@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION}")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION "Takes records from producers, keeps them in durable partition-keyed shards,
serves them to consumers and delivers them to the lake as Parquet, exactly once.")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "ca-certificates, passwd")  # certificates: for object stores
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS "${SLUICE_ARROW_DIR}/lib")
set(package_dir "${PROJECT_SOURCE_DIR}/tools/package")
file(WRITE "${PROJECT_BINARY_DIR}/package/conffiles" "/etc/sluice/sluice.toml\n")
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
  "${package_dir}/postinst;${package_dir}/prerm;${package_dir}/postrm;${PROJECT_BINARY_DIR}/package/conffiles")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
include(CPack)
