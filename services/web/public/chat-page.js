// The chat page: one WebSocket to /chat/ws on the page's own origin, so it goes through the gateway.
const $ = (id) => document.getElementById(id);
let socket;

function show(text, atMs = Date.now(), quiet = false) {
  const line = document.createElement('li');
  if (quiet) line.className = 'quiet';
  // textContent, never innerHTML: what others say must stay text
  line.textContent = `${new Date(atMs).toLocaleTimeString()} ${text}`;
  $('log').append(line);
  $('log').scrollTop = $('log').scrollHeight;
}

function setConnected(connected, state) {
  $('state').textContent = state;
  $('text').disabled = !connected;
  $('send').disabled = !connected;
  if (connected) $('text').focus();
}

function onEvent(event) {
  if (event.type === 'welcome') {
    $('log').replaceChildren();
    for (const message of event.history) show(`${message.from}: ${message.text}`, message.atMs);
    show(`you are in ${event.room} on ${event.instance} with ${event.members.join(', ')}`, undefined, true);
    setConnected(true, `connected to ${event.instance}`);
  } else if (event.type === 'message') show(`${event.from}: ${event.text}`, event.atMs);
  else if (event.type === 'error') show(`refused: ${event.message}`, undefined, true);
  else show(`${event.name} ${event.type}`, event.atMs, true);
}

function join(room, name) {
  socket?.close();
  const scheme = location.protocol === 'https:' ? 'wss:' : 'ws:';
  const query = new URLSearchParams({ room, name });
  const current = new WebSocket(`${scheme}//${location.host}/chat/ws?${query}`);
  socket = current;
  setConnected(false, 'connecting…');
  current.addEventListener('message', ({ data }) => onEvent(JSON.parse(data)));
  current.addEventListener('close', ({ code, reason }) => {
    // one that was replaced by a later join has nothing more to say
    if (socket === current) setConnected(false, `closed (${code}${reason ? `: ${reason}` : ''}); join again`);
  });
}

$('join').addEventListener('submit', (event) => {
  event.preventDefault();
  join($('room').value, $('name').value);
});
$('say').addEventListener('submit', (event) => {
  event.preventDefault();
  const text = $('text').value.trim();
  if (text === '') return;
  socket.send(JSON.stringify({ type: 'say', text }));
  $('text').value = '';
});
