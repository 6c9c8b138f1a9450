# How a library and a test of this project are declared: one library a folder, honest links, one set of warnings.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()

add_library(reckon_warnings INTERFACE)
target_compile_options(reckon_warnings INTERFACE
  $<$<COMPILE_LANGUAGE:CXX>:-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion
    -Wno-missing-field-initializers>  # designated initialisers leave out what has its default on purpose
  # GCC 12 reports string concatenation as overlapping memory (GCC bug 105651); later compilers do not.
  $<$<AND:$<CXX_COMPILER_ID:GNU>,$<VERSION_LESS:$<CXX_COMPILER_VERSION>,13>>:-Wno-restrict>)
if(RECKON_WERROR)
  target_compile_options(reckon_warnings INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Werror>)
endif()

# reckon_library(name SOURCES a.cpp ... LINKS reckon::base ...): target reckon_<name>, alias reckon::<name>.
function(reckon_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINKS;PRIVATE_LINKS" ${ARGN})
  add_library(reckon_${name} STATIC ${ARG_SOURCES})
  add_library(reckon::${name} ALIAS reckon_${name})
  target_include_directories(reckon_${name} PUBLIC ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR})
  target_link_libraries(reckon_${name} PUBLIC ${ARG_LINKS} PRIVATE reckon_warnings ${ARG_PRIVATE_LINKS})
endfunction()

# reckon_test(name SOURCES ... LINKS ... LABELS unit): one GoogleTest executable a folder.
function(reckon_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINKS;LABELS" ${ARGN})
  add_executable(${name}_test ${ARG_SOURCES})
  target_link_libraries(${name}_test PRIVATE ${ARG_LINKS} reckon_warnings GTest::gtest GTest::gtest_main)
  target_compile_definitions(${name}_test PRIVATE RECKON_SOURCE_DIR="${PROJECT_SOURCE_DIR}" RECKON_BINARY="$<$<TARGET_EXISTS:reckon>:${PROJECT_BINARY_DIR}/src/app/reckon>")
  add_test(NAME ${name} COMMAND ${name}_test)
  set_tests_properties(${name} PROPERTIES LABELS "${ARG_LABELS}" TIMEOUT 600)
endfunction()
