# Debian packages, one for each component; deploy/build-packages makes them.

# Directories of finished guest kernels, as guest/kernel/build prints them.
set(UMLFARM_PACKAGED_STRICT "" CACHE PATH "The kernel 'strict' that goes into the package umlfarm-kernel")
set(UMLFARM_PACKAGED_FAST "" CACHE PATH "The kernel 'fast' that goes into it")
foreach(flavour strict fast)
  string(TOUPPER ${flavour} upper)
  if(UMLFARM_PACKAGED_${upper})
    install(PROGRAMS ${UMLFARM_PACKAGED_${upper}}/linux
      DESTINATION lib/umlfarm/kernels/${flavour} COMPONENT kernel EXCLUDE_FROM_ALL)
    install(FILES ${UMLFARM_PACKAGED_${upper}}/manifest.json ${UMLFARM_PACKAGED_${upper}}/config
      DESTINATION lib/umlfarm/kernels/${flavour} COMPONENT kernel EXCLUDE_FROM_ALL)
  endif()
endforeach()

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME umlfarm)
set(CPACK_PACKAGE_CONTACT "the umlfarm authors <umlfarm@umlfarm.invalid>")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_ALL farm hostsetup images kernel)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)

# umlfarm_package(COMPONENT NAME SECTION SUMMARY DESCRIPTION): with the scripts of deploy/debian/NAME.{postinst,...}, and
# what every package holds: who may copy it, and what has changed.
function(umlfarm_package component name section summary description)
  string(TOUPPER ${component} upper)
  set(CPACK_DEBIAN_${upper}_PACKAGE_NAME ${name} PARENT_SCOPE)
  set(CPACK_DEBIAN_${upper}_PACKAGE_SECTION ${section} PARENT_SCOPE)
  set(CPACK_COMPONENT_${upper}_DESCRIPTION "${summary}\n${description}" PARENT_SCOPE)
  set(scripts "")
  foreach(kind postinst prerm postrm)
    if(EXISTS ${CMAKE_SOURCE_DIR}/deploy/debian/${name}/${kind})
      list(APPEND scripts ${CMAKE_SOURCE_DIR}/deploy/debian/${name}/${kind})
    endif()
  endforeach()
  set(CPACK_DEBIAN_${upper}_PACKAGE_CONTROL_EXTRA "${scripts}" PARENT_SCOPE)
  set(documents share/doc/${name})
  install(FILES deploy/debian/copyright DESTINATION ${documents} COMPONENT ${component} EXCLUDE_FROM_ALL)
  install(FILES ${CMAKE_BINARY_DIR}/packages/changelog.gz DESTINATION ${documents}
    COMPONENT ${component} EXCLUDE_FROM_ALL)
  if(EXISTS ${CMAKE_SOURCE_DIR}/deploy/debian/${name}/lintian-overrides)
    install(FILES deploy/debian/${name}/lintian-overrides DESTINATION share/lintian/overrides RENAME ${name}
      COMPONENT ${component} EXCLUDE_FROM_ALL)
  endif()
endfunction()

umlfarm_package(farm umlfarm admin "farm of User Mode Linux servers"
  "Gives each user a small server with a kernel, a root account, a disk and an
address of its own, without hardware virtualisation: each is a process in a
jail. This package holds the daemon, the supervisor and the command line.")
umlfarm_package(hostsetup umlfarm-hostsetup admin "prepares a host to carry User Mode Linux servers"
  "Compares a machine with what guests need and with what keeps tenants apart,
changes what it can, names what only a person can change, verifies it for
monitoring, and takes all of it back.")
umlfarm_package(images umlfarm-images admin "recipes of base images for umlfarm"
  "Builds the images that User Mode Linux servers of umlfarm start from:
debian-12 with systemd, and tiny with a shell and an SSH server.")
umlfarm_package(kernel umlfarm-kernel kernel "guest kernels for umlfarm"
  "User Mode Linux kernels with durable disks and fast taps: strict, which runs
programs by ptrace, and fast, which runs them by seccomp on many processors.")

set(CPACK_DEBIAN_FARM_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_FARM_PACKAGE_RECOMMENDS "umlfarm-kernel, umlfarm-images, umlfarm-hostsetup, libvirt-daemon-driver-qemu")
set(CPACK_DEBIAN_FARM_PACKAGE_DEPENDS "openssh-client")
set(CPACK_DEBIAN_HOSTSETUP_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_HOSTSETUP_PACKAGE_DEPENDS "kmod, iproute2, nftables")
set(CPACK_DEBIAN_HOSTSETUP_PACKAGE_RECOMMENDS "umlfarm")
set(CPACK_DEBIAN_IMAGES_PACKAGE_DEPENDS "e2fsprogs, jq, mmdebstrap, busybox-static, dropbear-bin, uidmap")
set(CPACK_DEBIAN_IMAGES_PACKAGE_ARCHITECTURE all)
set(CPACK_DEBIAN_KERNEL_PACKAGE_ENHANCES umlfarm)

include(CPack)
