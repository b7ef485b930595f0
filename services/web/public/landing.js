// Asks each path's health through the gateway and shows which instance answered.
const cells = document.querySelectorAll('[data-path]');

async function ask(cell) {
  try {
    const response = await fetch(cell.dataset.path, { cache: 'no-store' });
    const instance = response.headers.get('x-instance');
    // opened on the service's own port, the other paths do not exist
    cell.textContent = response.ok && instance ? instance : `${response.status}`;
  } catch {
    cell.textContent = 'no answer';
  }
}

function askAll() {
  for (const cell of cells) ask(cell);
}

document.querySelector('#ask').addEventListener('click', askAll);
askAll();
