/* Headroom: shows each visitor of a web page his own number of a RingPool. No dependencies. How to use it: docs/ringpools.md.

   <script async src="https://portal.example/static/portal/headroom-numbers.js"
           data-pool="12" data-key="…" data-replace="+18055550100"></script>

   data-pool, data-key   the RingPool and its key (it may stand in a page: it opens nothing but this)
   data-replace          numbers on the page to exchange, in any form, separated by commas
   data-timeout          milliseconds after which the page stays as it is (2000)
   Elements: data-headroom-number exchanges whatever number stands in it; data-headroom-pool="12" does so with the pool of
   that id; data-headroom-skip is left alone. Several pools: several script elements, or before the script
   window.headroomNumbers = [{pool: 12, key: "…", replace: ["+18055550100"]}, …].

   Whatever goes wrong - portal away, slow, pool unknown, storage forbidden - the page keeps its own numbers. */
(function () {
  "use strict";
  var script = document.currentScript;
  var data = (script && script.dataset) || {};
  var portal = (data.portal || (script ? new URL(script.src).origin : "")).replace(/\/$/, "");
  var state = (window.__headroomNumbers = window.__headroomNumbers || { pools: [], asked: false });
  if (data.pool && data.key) {
    state.pools.push({ pool: data.pool, key: data.key, replace: (data.replace || "").split(",") });
  }
  if (state.asked || !portal) return;
  state.asked = true;

  var VERSION = "2026-11-01", TIMEOUT = Number(data.timeout) || 2000, MOST = 40, LONGEST = 500;
  var VISITOR = "headroom-visitor", VISIT = "headroom-visit", LAST = "headroom-last";
  var SKIP = { SCRIPT: 1, STYLE: 1, NOSCRIPT: 1, TEXTAREA: 1, INPUT: 1, SELECT: 1, CODE: 1, PRE: 1 };
  // A number as people write it: digits with spaces, dots, dashes, slashes or brackets between them.
  var WRITTEN = /\+?\(?\d(?:[\s().\/\u00a0\u2010-\u2013-]{0,3}\d){6,14}/g;

  function stored(storage, name, value) {
    try {
      if (value === undefined) return window[storage].getItem(name);
      window[storage].setItem(name, value);
    } catch (error) { /* forbidden or full: this page still works */ }
    return null;
  }

  function cookie(value) {
    try {
      if (value) document.cookie = VISITOR + "=" + value + "; path=/; max-age=15552000; samesite=lax";
      var found = document.cookie.match(/(?:^|; )headroom-visitor=([\w-]{8,64})/);
      return found ? found[1] : null;
    } catch (error) { return null; }
  }

  var me = null;
  function visitor() {
    var known = me || stored("localStorage", VISITOR) || cookie();
    if (!known) {
      var random = new Uint8Array(16);
      crypto.getRandomValues(random);
      known = Array.prototype.map.call(random, function (byte) { return ("0" + byte.toString(16)).slice(-2); }).join("");
      stored("localStorage", VISITOR, known);
      cookie(known);
    }
    return (me = known.slice(0, 64));
  }

  // What brought him here: the first page of this visit and how he came to it.
  function visit() {
    try {
      var kept = JSON.parse(stored("sessionStorage", VISIT) || "null");
      if (kept && typeof kept === "object") return kept;
    } catch (error) { /* somebody else's */ }
    var found = { landing_page: location.origin + location.pathname };
    if (document.referrer) found.referrer = document.referrer;
    new URLSearchParams(location.search).forEach(function (value, name) {
      if (Object.keys(found).length < MOST && name.length <= 100 && name !== "visitor" && name !== "ring_pool_key") found[name] = value;
    });
    Object.keys(found).forEach(function (name) { found[name] = String(found[name]).slice(0, LONGEST); });
    stored("sessionStorage", VISIT, JSON.stringify(found));
    return found;
  }

  function suffix(pool, about) {
    var query = new URLSearchParams(about);
    query.set("ring_pool_key", pool.key);
    query.set("visitor", visitor());
    return "ring_pools/" + encodeURIComponent(pool.pool) + "/allocate_number.json?" + query;
  }

  function ask(pools) {
    var about = visit(), base = portal + "/api/" + VERSION + "/";
    var stop = typeof AbortController === "function" ? new AbortController() : null;
    var timer = setTimeout(function () { if (stop) stop.abort(); }, TIMEOUT);
    var options = { credentials: "omit", referrerPolicy: "no-referrer", cache: "no-store", signal: stop ? stop.signal : undefined };
    var request;
    if (pools.length === 1) {
      request = fetch(base + suffix(pools[0], about), options);
    } else {
      options.method = "POST";
      // text/plain: no preflight, so one request is one round trip.
      options.headers = { "Content-Type": "text/plain" };
      options.body = JSON.stringify({
        requests: pools.map(function (pool, index) { return { api_suffix: suffix(pool, about), request_id: index }; })
      });
      request = fetch(base + "bulk.json", options);
    }
    return request.then(function (answer) {
      return answer.ok ? answer.json() : null;
    }).then(function (body) {
      clearTimeout(timer);
      if (!body) return [];
      return pools.length === 1 ? [body] : body.responses.map(function (one) { return one.status === 200 ? one.response : null; });
    });
  }

  function digits(text) { return String(text).replace(/\D/g, ""); }

  // The last ten digits of a North American number say the same with and without the country's 1.
  function bare(text) {
    var found = digits(text);
    return found.length === 11 && found[0] === "1" ? found.slice(1) : found;
  }

  // The new number in the form of the old one: digit for digit where they have as many, as the portal writes it otherwise.
  function dressed(old, given) {
    var before = digits(old), after = digits(given.promo_number);
    if (after.length === before.length + 1 && after[0] === "1") after = after.slice(1);
    if (after.length !== before.length) return given.promo_number_formatted || given.promo_number;
    var next = 0;
    return old.replace(/\d/g, function () { return after[next++]; });
  }

  function known(text, pool) {
    var found = bare(text);
    return pool.wanted.indexOf(found) >= 0;
  }

  function swapText(node, pool, any) {
    var text = node.nodeValue;
    if (!text || text.length < 7) return;
    var changed = text.replace(WRITTEN, function (written) {
      return any || known(written, pool) ? dressed(written, pool.given) : written;
    });
    if (changed !== text) node.nodeValue = changed;
  }

  function swapLink(link, pool, any) {
    var href = link.getAttribute("href") || "";
    var found = href.match(/^\s*(tel|sms):([^?;,]*)(.*)$/i);
    if (!found || digits(found[2]).length < 7 || !(any || known(found[2], pool))) return;
    var number = decodeURIComponent(found[2]).indexOf("+") === 0 ? pool.given.promo_number : dressed(found[2], pool.given);
    var address = found[1] + ":" + number + found[3];
    if (address !== href) link.setAttribute("href", address);
    ["aria-label", "title"].forEach(function (name) {
      var label = link.getAttribute(name);
      if (label) link.setAttribute(name, label.replace(WRITTEN, function (written) { return any || known(written, pool) ? dressed(written, pool.given) : written; }));
    });
  }

  function poolOf(element, pools) {
    var id = element.getAttribute("data-headroom-pool");
    for (var index = 0; index < pools.length; index++) {
      if (pools[index].given && (id ? String(pools[index].pool) === id : true)) return pools[index];
    }
    return null;
  }

  function walk(root, visit) {
    if (root.nodeType === 3) { visit(root); return; }
    if (root.nodeType !== 1 || SKIP[root.nodeName] || root.isContentEditable || root.hasAttribute("data-headroom-skip")) return;
    visit(root);
    for (var child = root.firstChild, next; child; child = next) { next = child.nextSibling; walk(child, visit); }
  }

  function swap(root, pools) {
    var own = root.nodeType === 1 ? root : root.parentElement;
    if (!own || own.closest("[data-headroom-skip]")) return;
    walk(root, function (node) {
      var element = node.nodeType === 1 ? node : node.parentElement;
      var marked = element && element.closest("[data-headroom-number], [data-headroom-pool]");
      var chosen = marked ? [poolOf(marked, pools)] : pools;
      chosen.forEach(function (pool) {
        if (!pool || !pool.given) return;
        if (node.nodeType === 3) swapText(node, pool, !!marked);
        else if (node.nodeName === "A" || node.nodeName === "AREA") swapLink(node, pool, !!marked);
      });
    });
  }

  function apply(pools) {
    if (!pools.some(function (pool) { return pool.given; })) return;
    observer && observer.disconnect();
    swap(document.body, pools);
    watch(pools);
  }

  // What the page adds later (menus, single-page applications) is exchanged too.
  var observer = null;
  function watch(pools) {
    if (typeof MutationObserver !== "function") return;
    observer = observer || new MutationObserver(function (changes) {
      observer.disconnect();
      changes.forEach(function (change) {
        change.addedNodes.forEach(function (node) { if (node.isConnected) swap(node, pools); });
        if (change.type === "characterData" && change.target.isConnected) swap(change.target, pools);
      });
      observe();
    });
    function observe() { observer.observe(document.body, { childList: true, characterData: true, subtree: true }); }
    observe();
  }

  function ready(run) {
    if (document.body && document.readyState !== "loading") run();
    else document.addEventListener("DOMContentLoaded", run);
  }

  ready(function () {
    try {
      var pools = state.pools.concat(window.headroomNumbers || []).slice(0, 20);
      if (!pools.length || typeof fetch !== "function") return;
      pools.forEach(function (pool) {
        pool.wanted = [].concat(pool.replace || []).map(bare).filter(function (found) { return found.length >= 7; });
      });
      // On his next page his number is known: shown at once, and renewed by the request all the same.
      var last = {};
      try { last = JSON.parse(stored("sessionStorage", LAST) || "{}") || {}; } catch (error) { last = {}; }
      pools.forEach(function (pool) {
        var kept = last[pool.pool];
        if (kept && kept.assignment === "visitor" && Date.parse(kept.expires_at) > Date.now()) pool.given = kept;
      });
      apply(pools);
      ask(pools).then(function (answers) {
        pools.forEach(function (pool, index) {
          var given = answers[index];
          if (!given || !given.promo_number) return;
          if (pool.given && pool.given.promo_number !== given.promo_number) pool.wanted.push(bare(pool.given.promo_number));
          pool.given = given;
          last[pool.pool] = given;
        });
        apply(pools);
        stored("sessionStorage", LAST, JSON.stringify(last));
        document.dispatchEvent(new CustomEvent("headroom:numbers", { detail: answers }));
      }).catch(function () { /* the page keeps the numbers that stand in it */ });
    } catch (error) { /* never the page's trouble */ }
  });
})();
