# cmake -Dcompiler= -Dincludes=a|b -Dsource= -Dsentence= [-Doptions=a|b] [-Dmost=] -P check.cmake
# With a sentence: compiling `source` must fail, and its first error must contain the sentence.
# Without one: it must compile. With `most`, there must be no more errors than that.
set(ENV{LC_ALL} C)  # compilers translate "error:"
string(REPLACE "|" ";" includes "${includes}")
list(REMOVE_DUPLICATES includes)
list(REMOVE_ITEM includes /usr/include)  # there already, and its place in the order matters
list(TRANSFORM includes PREPEND -I)
string(REPLACE "|" ";" options "${options}")
execute_process(COMMAND ${compiler} -std=c++20 ${options} -fsyntax-only ${includes} ${source}
                RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)

if(sentence STREQUAL "")
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "must compile, but:\n${output}")
  endif()
  return()
endif()
if(status EQUAL 0)
  message(FATAL_ERROR "compiles, but must not")
endif()
string(REGEX MATCH "[^\n]*error:[^\n]*" first_error "${output}")
string(FIND "${first_error}" "${sentence}" place)
if(place EQUAL -1)
  message(FATAL_ERROR "the first error is\n  ${first_error}\nexpected\n  ${sentence}\nin\n${output}")
endif()
string(REGEX MATCHALL "error:" errors "${output}")
list(LENGTH errors count)
if(DEFINED most AND count GREATER most)
  message(FATAL_ERROR "${count} errors, expected at most ${most}:\n${output}")
endif()
