import './style.css';

const chunks = import.meta.glob('./chunks/*.js');

// A chunk brings its own style sheet, which Vite loads before the chunk runs.
window.loadChunk = async (number) => (await chunks[`./chunks/c${number}.js`]()).version;
document.getElementById('app').textContent = __VERSION__;
// Complete: this script ran, and the style of the same version is applied.
window.complete = () => getComputedStyle(document.documentElement).getPropertyValue('--version').includes(__VERSION__);
window.version = __VERSION__;
