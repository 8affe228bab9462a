/* What both scenes draw with. */
"use strict";

/** The names of the rules, in the order in which they are drawn, the widest line first. */
lazybook.rules = ["every-sample", "memorized-mistakes", "mistakes"];

/** Return the page's colours as they are now: of the text and of each rule. */
lazybook.colours = () => {
  const style = (selector) => getComputedStyle(document.querySelector(selector));
  const rule = (name) => style(`.playground .swatch.${name}`).backgroundColor;
  return {
    ink: style(".playground").color,
    rules: Object.fromEntries(lazybook.rules.map((name) => [name, rule(name)])),
  };
};

/** Make a canvas as fine as the screen; return its drawing context, its unit a pixel of the page. */
lazybook.context = (canvas) => {
  const { width, height } = canvas.getBoundingClientRect();
  const ratio = window.devicePixelRatio || 1;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const context = canvas.getContext("2d");
  context.scale(canvas.width / width, canvas.height / height);
  context.font = `12px ${getComputedStyle(document.body).fontFamily}`;
  return { context, width, height };
};

/** Draw a line through points given as [x, y, x, y, …], in the units of the page. */
lazybook.line = (context, values, colour, width, alpha = 1) => {
  context.beginPath();
  for (let at = 0; at < values.length; at += 2) context.lineTo(values[at], values[at + 1]);
  Object.assign(context, { strokeStyle: colour, lineWidth: width, globalAlpha: alpha });
  context.lineJoin = "round";
  context.stroke();
  context.globalAlpha = 1;
};

/** Call `draw` once before the next picture of the screen, however often it was asked for. */
lazybook.onceAFrame = (draw) => {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      draw();
    });
  };
};

/** Call `draw` when the page's size, its light or dark mode, or the medium has changed. */
lazybook.onLook = (element, draw) => {
  new ResizeObserver(draw).observe(element);
  const page = new MutationObserver(draw);
  page.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
};

/** Return a number with two digits, or in whole thousands: 0.034, 1.2, 57, 1,234. */
lazybook.number = (value) =>
  Math.abs(value) >= 100
    ? Math.round(value).toLocaleString("en")
    : String(Number(value.toPrecision(2)));

/**
 * A button that plays and pauses: calls `advance` with the seconds since it did last, until that
 * returns false.
 */
lazybook.player = (button, advance) => {
  let last = null;
  const show = () => {
    button.textContent = player.playing ? "Pause" : "Play";
  };
  const tick = (now) => {
    if (!player.playing) return;
    const seconds = last === null ? 0 : Math.min((now - last) / 1000, 0.1);
    last = now;
    if (advance(seconds)) requestAnimationFrame(tick);
    else player.pause();
  };
  const player = {
    playing: false,
    play() {
      if (player.playing) return;
      player.playing = true;
      last = null;
      show();
      requestAnimationFrame(tick);
    },
    pause() {
      player.playing = false;
      show();
    },
  };
  button.addEventListener("click", () => (player.playing ? player.pause() : player.play()));
  show();
  return player;
};
