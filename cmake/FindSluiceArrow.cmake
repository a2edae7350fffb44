# Arrow C++ with Parquet and S3: an installed one of version 20 or newer, else the pinned pyarrow wheel (tools/fetch_arrow.sh).
# Sluice::arrow is libarrow and libparquet with OpenSSL and simdjson in front of them. Sluice::arrow_s3 is S3 beside it; an installed
# Arrow has that in libarrow, as it has Google and Azure everywhere.
#
# The wheel's libparquet exports OpenSSL's symbols and a newer simdjson's, and the first library in the link order serves them to
# the whole process. So OpenSSL and simdjson are linked first and unconditionally; tests/delivery/link_order_test.cc watches
# over it.
# Programs find the libraries by run path; `install` puts copies into lib/sluice beside the binary.
set(SLUICE_ARROW_DIR "${PROJECT_SOURCE_DIR}/build/_arrow" CACHE PATH "Where the Arrow C++ of the wheel is or is put; shared by all presets")

find_package(OpenSSL 3 REQUIRED)
find_package(simdjson CONFIG REQUIRED)
find_package(Arrow CONFIG QUIET)
find_package(Parquet CONFIG QUIET)

add_library(Sluice::arrow INTERFACE IMPORTED GLOBAL)
add_library(Sluice::arrow_s3 INTERFACE IMPORTED GLOBAL)
target_link_options(Sluice::arrow INTERFACE
  "-Wl,--push-state,--no-as-needed,${OPENSSL_SSL_LIBRARY},${OPENSSL_CRYPTO_LIBRARY},$<TARGET_FILE:simdjson::simdjson>,--pop-state")

if(Arrow_FOUND AND Parquet_FOUND AND Arrow_VERSION VERSION_GREATER_EQUAL 20)
  set(SLUICE_ARROW_VERSION "${Arrow_VERSION}")
  target_link_libraries(Sluice::arrow INTERFACE Parquet::parquet_shared Arrow::arrow_shared)
  target_link_libraries(Sluice::arrow_s3 INTERFACE Sluice::arrow)
else()
  execute_process(COMMAND "${PROJECT_SOURCE_DIR}/tools/fetch_arrow.sh" "${SLUICE_ARROW_DIR}" RESULT_VARIABLE fetch_result)
  if(NOT fetch_result EQUAL 0)
    message(FATAL_ERROR "Arrow C++ is neither installed nor could it be fetched into ${SLUICE_ARROW_DIR} (see above)")
  endif()
  file(READ "${SLUICE_ARROW_DIR}/VERSION" SLUICE_ARROW_VERSION)
  string(STRIP "${SLUICE_ARROW_VERSION}" SLUICE_ARROW_VERSION)
  foreach(library arrow arrow_s3 parquet)
    file(GLOB path "${SLUICE_ARROW_DIR}/lib/lib${library}.so.*")
    get_filename_component(soname "${path}" NAME)
    add_library(sluice_wheel_${library} SHARED IMPORTED GLOBAL)
    set_target_properties(sluice_wheel_${library} PROPERTIES IMPORTED_LOCATION "${path}" IMPORTED_SONAME "${soname}"
      INTERFACE_INCLUDE_DIRECTORIES "${SLUICE_ARROW_DIR}/include")
    install(FILES "${path}" DESTINATION lib/sluice)
  endforeach()
  file(GLOB notices "${SLUICE_ARROW_DIR}/LICENSE*" "${SLUICE_ARROW_DIR}/NOTICE*")
  install(FILES ${notices} DESTINATION share/doc/sluice/arrow)
  target_link_libraries(Sluice::arrow INTERFACE sluice_wheel_parquet sluice_wheel_arrow)
  target_link_libraries(Sluice::arrow_s3 INTERFACE Sluice::arrow sluice_wheel_arrow_s3)
  set(CMAKE_INSTALL_RPATH "$ORIGIN/../lib/sluice")
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(SluiceArrow REQUIRED_VARS SLUICE_ARROW_VERSION VERSION_VAR SLUICE_ARROW_VERSION)
