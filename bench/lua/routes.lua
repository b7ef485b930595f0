-- Spreads requests over /r0 … /r(N-1), N being the first argument. The stride is prime, so that every route is
-- visited and neighbours in the config are not neighbours in time.
local prepared, count, at = {}, 0, 0

function init(args)
  count = tonumber(args[1])
  for i = 0, count - 1 do
    prepared[i] = wrk.format("GET", "/r" .. i .. "/item?id=7")
  end
end

function request()
  at = (at + 7919) % count
  return prepared[at]
end
