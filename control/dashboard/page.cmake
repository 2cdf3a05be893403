# Builds the page: cmake -DSOURCE=FOLDER -DMADE=FOLDER -DNPM=PROGRAM -P page.cmake. Leaves index.html, index.html.gz and
# csp.txt in MADE. It never fails: without packages or with an error the three files are empty, grayd is built without
# the page, and a warning says why. The sources are copied, so that the build leaves nothing beside them.
set(files index.html index.html.gz csp.txt)
set(work ${MADE}/work)
set(log ${MADE}/npm.log)

function(leave_out why)
  foreach(file IN LISTS files)
    file(WRITE ${MADE}/${file} "")
  endforeach()
  message(WARNING "grayd is built without its page: ${why}\n"
    "To build the page: correct that, delete ${MADE}/index.html, and build again.")
endfunction()

file(REMOVE_RECURSE ${work}/src ${work}/dist)
file(MAKE_DIRECTORY ${work})
file(COPY ${SOURCE}/ DESTINATION ${work} PATTERN node_modules EXCLUDE PATTERN dist EXCLUDE)

# The packages are there already if the lock file is the same as last time.
file(SHA256 ${work}/package-lock.json wanted)
set(installed "")
if(EXISTS ${work}/node_modules/.lock-of-page)
  file(READ ${work}/node_modules/.lock-of-page installed)
endif()
if(NOT installed STREQUAL wanted)
  execute_process(COMMAND ${NPM} ci --prefer-offline --no-audit --no-fund WORKING_DIRECTORY ${work}
    RESULT_VARIABLE failed OUTPUT_FILE ${log} ERROR_FILE ${log} TIMEOUT 300)
  if(failed)
    leave_out("npm ci failed, see ${log}")
    return()
  endif()
  file(WRITE ${work}/node_modules/.lock-of-page ${wanted})
endif()

execute_process(COMMAND ${CMAKE_COMMAND} -E env OUT=${work}/dist ${NPM} run build WORKING_DIRECTORY ${work}
  RESULT_VARIABLE failed OUTPUT_FILE ${log} ERROR_FILE ${log} TIMEOUT 300)
foreach(file IN LISTS files)
  if(NOT EXISTS ${work}/dist/${file})
    set(failed "no ${file}")
  endif()
endforeach()
if(failed)
  leave_out("npm run build failed, see ${log}")
  return()
endif()
foreach(file IN LISTS files)
  file(COPY_FILE ${work}/dist/${file} ${MADE}/${file})
  file(TOUCH ${MADE}/${file})
endforeach()
