// Optional. The report is complete without it: this adds a text filter and keys.
(() => {
  const $ = (q, r = document) => [...r.querySelectorAll(q)];
  $('[hidden].js').forEach(e => { e.hidden = false; });
  const open = e => { for (let d = e; d; d = d.parentElement) if (d.tagName === 'DETAILS') d.open = true; };
  const show = () => {
    const e = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (e) { open(e); e.scrollIntoView(); }
  };
  addEventListener('hashchange', show); show();
  const find = document.getElementById('find');
  if (find) find.addEventListener('input', () => {
    const q = find.value.trim().toLowerCase();
    $('.stage').forEach(s => {
      let n = 0;
      $('tr', s).forEach(r => { const hit = r.textContent.toLowerCase().includes(q); r.classList.toggle('filtered', !hit); if (hit) n++; });
      if (q) s.open = n > 0;
    });
  });
  $('[name=show]').forEach(r => r.addEventListener('change', () => $('.stage').forEach(s => {
    if (r.id) s.open = !!s.querySelector(r.id === 'show-odd' ? '.is-odd' : 'tr.open');
  })));
  const all = () => { const d = $('main details'), to = d.some(x => !x.open); d.forEach(x => { x.open = to; }); };
  document.getElementById('expand')?.addEventListener('click', all);
  const stops = $('article.f'); let at = -1;
  const go = i => { if (!stops.length) return; at = Math.max(0, Math.min(stops.length - 1, i)); location.hash = stops[at].id; stops[at].querySelector('h3 a').focus({ preventScroll: true }); };
  addEventListener('keydown', e => {
    if (e.ctrlKey || e.metaKey || e.altKey) return;
    if (find && e.target === find) { if (e.key === 'Escape') { find.value = ''; find.dispatchEvent(new Event('input')); find.blur(); } return; }
    const k = { j: () => go(at + 1), k: () => go(at - 1), m: () => { location.hash = 'matrix'; }, t: () => { location.hash = 'times'; },
      '/': () => { location.hash = 'matrix'; find?.focus(); }, e: all, g: () => scrollTo(0, 0) }[e.key];
    if (k) { e.preventDefault(); k(); }
  });
})();
