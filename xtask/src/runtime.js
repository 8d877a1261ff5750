// What wasm-bindgen's glue needs to run, in the place of what it brings along: that pleases every
// browser and every way of starting. Names longer than four letters become short ones, so none may
// be one of a method of ours.

let wasm, WASM_VECTOR_LEN;
const encoder = new TextEncoder();
// A mark at the beginning belongs to the text.
const decoder = new TextDecoder('utf-8', {ignoreBOM: true});

const getArrayU8FromWasm0 = (ptr, len) => new Uint8Array(wasm.memory.buffer, ptr >>> 0, len);
const getStringFromWasm0 = (ptr, len) => decoder.decode(getArrayU8FromWasm0(ptr, len));
const getDataViewMemory0 = () => new DataView(wasm.memory.buffer);
const passStringToWasm0 = text => {
  const data = encoder.encode(text);
  const ptr = wasm.__wbindgen_malloc(WASM_VECTOR_LEN = data.length, 1) >>> 0;
  getArrayU8FromWasm0(ptr, data.length).set(data);
  return ptr;
};

// What the module knows by number. The numbers of the first four are written into it; a free place
// holds the number of the next free one.
const heap = Array(1024);
heap.push(undefined, null, true, false);
let nextFree = heap.length;
const getObject = at => heap[at];
const addHeapObject = what => {
  if (nextFree == heap.length) heap.push(nextFree + 1);
  const at = nextFree;
  nextFree = heap[at];
  heap[at] = what;
  return at;
};
const takeObject = at => {
  const what = heap[at];
  if (at > 1027) {
    heap[at] = nextFree;
    nextFree = at;
  }
  return what;
};

const isLikeNone = what => what == null;
function handleError(call, args) {
  try {
    return call.apply(this, args);
  } catch (error) {
    wasm.__wbindgen_exn_store(addHeapObject(error));
  }
}
// A function around one of Rust's, which drops it. Who calls it after that is told by the 0.
const makeClosure = (a, b, call) => {
  let uses = 1;
  const real = (...args) => {
    uses++;
    try {
      return call(a, b, ...args);
    } finally {
      real._wbg_cb_unref();
    }
  };
  real._wbg_cb_unref = () => {
    if (!--uses) {
      wasm.__wbindgen_destroy_closure(a, b);
      a = 0;
    }
  };
  return real;
};

// A WebSocket; or, where none gets through, what is used like one, and fetched when it is needed.
const channel = (url, protocols, way) => {
  if (!way) return new WebSocket(url, protocols);
  const socket = new EventTarget();
  socket.close = () => socket.gone = 1;
  import('./fallback.js').then(
    ({carry}) => socket.gone || carry(socket, url, protocols[1], way > 1),
    () => socket.dispatchEvent(new CloseEvent('close')),
  );
  return socket;
};

// Started by the address of the module, in the form that wasm-bindgen takes as well. Without
// streaming, so that a proxy that drops the media type does no harm. A failed start may be tried
// again.
let started;
const fetchAndRun = async from => {
  const got = await fetch(from.module_or_path || from);
  if (!got.ok) throw new Error(got.url + ' ' + got.status);
  const {instance} = await WebAssembly.instantiate(await got.arrayBuffer(), __wbg_get_imports());
  wasm = instance.exports;
};
export default from => started ||= fetchAndRun(from).catch(error => {
  started = undefined;
  throw error;
});
