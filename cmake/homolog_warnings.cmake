# Warnings for our own sources; never exported to users.
add_library(homolog_warnings INTERFACE)
target_compile_options(homolog_warnings
                       INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Wall;-Wextra;-Wpedantic;-Wconversion;-Wshadow>)
