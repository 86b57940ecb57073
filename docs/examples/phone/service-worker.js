// Keeps the page and the model on the device, so that both work without a network. built.js, which the build writes,
// names the files and a version that changes with any of them.

importScripts("built.js");

const PREFIX = "solescope-phone-", CACHE = PREFIX + self.VERSION;

addEventListener("install", event => event.waitUntil(store()));
addEventListener("activate", event => event.waitUntil(takeOver()));
addEventListener("fetch", event => {
  const {request} = event;
  if (request.method === "GET" && new URL(request.url).origin === location.origin) event.respondWith(answer(request));
});

async function store() {
  const cache = await caches.open(CACHE);
  // The browser has most of them from the visit itself; "no-cache" asks the host only whether they have changed.
  await cache.addAll(self.FILES.map(file => new Request(file, {cache: "no-cache"})));
  await skipWaiting();
}

async function takeOver() {
  const old = (await caches.keys()).filter(name => name.startsWith(PREFIX) && name !== CACHE);
  await Promise.all(old.map(name => caches.delete(name)));
  await clients.claim();
}

async function answer(request) {
  const cache = await caches.open(CACHE);
  return (await cache.match(request, {ignoreSearch: true})) ?? fetch(request);
}
