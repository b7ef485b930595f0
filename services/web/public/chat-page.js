// The chat page: one WebSocket to /chat/ws/ROOM on the page's own origin, so it goes through the gateway. When it is cut it
// comes back by itself, later each time and never at the same moment as everybody else.
const $ = (id) => document.getElementById(id);
const SHORTEST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 15_000;
const MOST_LINES = 500;
/** RFC 6455 §7.4.1: it was meant to end. */
const NORMAL = 1000;

/** What the user wants to be in; undefined: nothing. */
let wanted;
let socket;
let retries = 0;
let timer;
let members = [];

function show(text, atMs = Date.now(), quiet = false) {
  const log = $('log');
  const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
  const line = document.createElement('li');
  if (quiet) line.className = 'quiet';
  // textContent, never innerHTML: what others say must stay text
  line.textContent = `${new Date(atMs).toLocaleTimeString()} ${text}`;
  log.append(line);
  while (log.children.length > MOST_LINES) log.firstChild.remove();
  if (atEnd) log.scrollTop = log.scrollHeight;
}

function setConnected(connected, state) {
  $('state').textContent = state;
  $('text').disabled = !connected;
  $('send').disabled = !connected;
  $('leave').disabled = wanted === undefined;
  if (connected) $('text').focus();
  else setMembers([]);
}

function setMembers(names) {
  members = names;
  const lines = names.map((name) => {
    const line = document.createElement('li');
    line.textContent = name;
    return line;
  });
  $('members').replaceChildren(...lines);
}

/** One of that name: two tabs of one person are two members. */
function without(name) {
  const at = members.indexOf(name);
  return at < 0 ? members : members.toSpliced(at, 1);
}

function onEvent(event) {
  switch (event.type) {
    case 'welcome':
      retries = 0;
      $('log').replaceChildren();
      for (const message of event.history) show(`${message.from}: ${message.text}`, message.atMs);
      show(`you are in ${event.room} on ${event.instance}`, undefined, true);
      setConnected(true, `connected to ${event.instance}`);
      setMembers(event.members);
      return;
    case 'message':
      show(`${event.from}: ${event.text}`, event.atMs);
      return;
    case 'error':
      show(`refused: ${event.message}`, undefined, true);
      return;
    case 'joined':
    case 'left':
      setMembers(event.type === 'joined' ? [...members, event.name] : without(event.name));
      show(`${event.name} ${event.type}`, event.atMs, true);
  }
}

function connect() {
  const scheme = location.protocol === 'https:' ? 'wss:' : 'ws:';
  const { room, name } = wanted;
  const query = new URLSearchParams({ name });
  const current = new WebSocket(`${scheme}//${location.host}/chat/ws/${encodeURIComponent(room)}?${query}`);
  socket = current;
  setConnected(false, 'connecting…');
  current.addEventListener('message', ({ data }) => onEvent(JSON.parse(data)));
  current.addEventListener('close', ({ code, reason }) => {
    // one that was replaced by a later join has nothing more to say
    if (socket === current) comeBack(code, reason);
  });
}

/** Half of the pause is chance, so that those who were cut off together do not come back together. */
function comeBack(code, reason) {
  const most = Math.min(LONGEST_PAUSE_MS, SHORTEST_PAUSE_MS * 2 ** retries);
  const pauseMs = most / 2 + (Math.random() * most) / 2;
  retries += 1;
  const why = `${code}${reason === '' ? '' : `: ${reason}`}`;
  show(`connection closed (${why})`, undefined, true);
  setConnected(false, `closed (${why}); back in ${(pauseMs / 1000).toFixed(1)} s`);
  timer = setTimeout(connect, pauseMs);
}

function leave() {
  clearTimeout(timer);
  wanted = undefined;
  const current = socket;
  socket = undefined;
  current?.close(NORMAL);
  setConnected(false, 'not connected');
}

$('join').addEventListener('submit', (event) => {
  event.preventDefault();
  leave();
  retries = 0;
  wanted = { room: $('room').value, name: $('name').value };
  connect();
});
$('leave').addEventListener('click', leave);
$('say').addEventListener('submit', (event) => {
  event.preventDefault();
  const text = $('text').value.trim();
  if (text === '' || socket?.readyState !== WebSocket.OPEN) return;
  socket.send(JSON.stringify({ type: 'say', text }));
  $('text').value = '';
});
