# find_package(sluice) gives sluice::client, a shared library that needs no other package to be found.
include("${CMAKE_CURRENT_LIST_DIR}/sluiceTargets.cmake")
