# What is installed where. Each component is a Debian package of its own (UmlfarmPackages).

add_custom_target(manuals ALL)
# install_manual(PAGE COMPONENT): compressed, as Debian wants them.
function(install_manual page component)
  string(REGEX MATCH "[0-9]$" section ${page})
  add_custom_command(OUTPUT ${CMAKE_BINARY_DIR}/man/${page}.gz
    COMMAND ${CMAKE_COMMAND} -E make_directory man
    COMMAND gzip -9 -n -c ${CMAKE_SOURCE_DIR}/deploy/man/${page} > man/${page}.gz
    WORKING_DIRECTORY ${CMAKE_BINARY_DIR} DEPENDS deploy/man/${page} VERBATIM)
  add_custom_target(manual-${page} DEPENDS ${CMAKE_BINARY_DIR}/man/${page}.gz)
  add_dependencies(manuals manual-${page})
  install(FILES ${CMAKE_BINARY_DIR}/man/${page}.gz DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section}
    COMPONENT ${component})
endfunction()

# All that is to be built before it can be installed.
add_custom_target(programs)
add_dependencies(programs manuals)
# install_programs(FOLDER COMPONENT PROGRAM...)
function(install_programs folder component)
  install(TARGETS ${ARGN} DESTINATION ${folder} COMPONENT ${component})
  add_dependencies(programs ${ARGN})
endfunction()

install_programs(${CMAKE_INSTALL_BINDIR} farm umlfarm)
install_programs(${CMAKE_INSTALL_SBINDIR} farm umlfarmd umlfarm-libvirt umlfarm-supervisor)
install_manual(umlfarm.1 farm)
install_manual(umlfarm.toml.5 farm)
install_manual(umlfarmd.8 farm)
install(DIRECTORY deploy/prometheus deploy/grafana DESTINATION ${CMAKE_INSTALL_DATADIR}/umlfarm COMPONENT farm)
install(FILES deploy/completion/umlfarm DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions COMPONENT farm)
# Units name programs by their whole path, which is known when they are installed.
install(FILES deploy/systemd/umlfarm.slice DESTINATION lib/systemd/system COMPONENT farm)
install(FILES deploy/modprobe/umlfarm-ifb.conf DESTINATION lib/modprobe.d COMPONENT farm)
foreach(unit umlfarmd umlfarm-guests)
  install(CODE "
    set(UMLFARM_SBINDIR \"\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_SBINDIR}\")
    configure_file(${CMAKE_SOURCE_DIR}/deploy/systemd/${unit}.service ${CMAKE_BINARY_DIR}/${unit}.service @ONLY)"
    COMPONENT farm)
  install(FILES ${CMAKE_BINARY_DIR}/${unit}.service DESTINATION lib/systemd/system COMPONENT farm)
endforeach()

install_programs(${CMAKE_INSTALL_SBINDIR} hostsetup umlfarm-hostsetup umlfarm-probe)
install(DIRECTORY hostsetup/profiles DESTINATION ${CMAKE_INSTALL_DATADIR}/umlfarm COMPONENT hostsetup)
install_manual(umlfarm-hostsetup.8 hostsetup)
install_manual(umlfarm-probe.8 hostsetup)
# Sanitizers cannot be in what a guest runs.
if(NOT UMLFARM_SANITIZE)
  install(FILES ${CMAKE_BINARY_DIR}/guest/probe/probe.img DESTINATION lib/umlfarm COMPONENT hostsetup)
  add_dependencies(programs umlfarm_probe_image)
endif()
install(FILES deploy/completion/umlfarm-hostsetup DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions
  COMPONENT hostsetup)

# Where the source is, its recipes are.
install(DIRECTORY guest/image DESTINATION ${CMAKE_INSTALL_DATADIR}/umlfarm/guest USE_SOURCE_PERMISSIONS
  COMPONENT images EXCLUDE_FROM_ALL)
