# The GPU part of this folder, a library of its own: it needs neither MPI nor fmt, so that the kernels and their checks build alone.
reckon_library(device
  SOURCES ${CMAKE_CURRENT_LIST_DIR}/device_text.cpp ${CMAKE_CURRENT_LIST_DIR}/device_monitor.cpp
  PRIVATE_LINKS ${CMAKE_DL_LIBS})
if(RECKON_HAS_CUDA)
  target_sources(reckon_device PRIVATE ${CMAKE_CURRENT_LIST_DIR}/device_cuda.cpp ${CMAKE_CURRENT_LIST_DIR}/device_blas.cpp)
  target_link_libraries(reckon_device PUBLIC reckon::cuda_toolkit)
else()
  target_sources(reckon_device PRIVATE ${CMAKE_CURRENT_LIST_DIR}/device_absent.cpp)
endif()
