# The GPU part of this folder, a library of its own: it needs neither MPI nor fmt, so that the kernels and their checks build alone.
reckon_library(device
  SOURCES ${CMAKE_CURRENT_LIST_DIR}/device_group.cpp ${CMAKE_CURRENT_LIST_DIR}/device_text.cpp ${CMAKE_CURRENT_LIST_DIR}/device_monitor.cpp
  PRIVATE_LINKS ${CMAKE_DL_LIBS})
if(RECKON_HAS_CUDA)
  target_sources(reckon_device PRIVATE ${CMAKE_CURRENT_LIST_DIR}/device_cuda.cpp ${CMAKE_CURRENT_LIST_DIR}/device_blas.cpp)
  target_link_libraries(reckon_device PUBLIC reckon::cuda_toolkit)
  if(TARGET reckon::nccl)
    # The header alone: the library is opened when a run needs it.
    target_include_directories(reckon_device SYSTEM PRIVATE ${RECKON_NCCL_INCLUDE})
    target_compile_definitions(reckon_device PRIVATE RECKON_HAS_NCCL)
  endif()
else()
  target_sources(reckon_device PRIVATE ${CMAKE_CURRENT_LIST_DIR}/device_absent.cpp)
endif()
