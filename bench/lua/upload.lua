-- POSTs a body of the size given as the first argument.
function init(args)
  wrk.method = "POST"
  wrk.body = string.rep("x", tonumber(args[1]))
  wrk.headers["Content-Type"] = "application/octet-stream"
  prepared = wrk.format()
end

function request()
  return prepared
end
