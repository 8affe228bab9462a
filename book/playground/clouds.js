/* The scene of the two clouds: what the reader sees and touches. */
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const scene = document.getElementById("clouds");
  const part = (name) => scene.querySelector(`[data-part="${name}"]`);
  const field = (name) => scene.querySelector(`[name="${name}"]`);
  const LENGTH = lazybook.PRESENTATIONS;
  const STARTS = [[1.8, -0.7], [-1.2, -0.1], [1.4, 1.0]]; // conditions 1, 2, 3 of the figure
  const RATES = [1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 0.01, 0.02]; // stable for all points in reach
  const THRESHOLDS = [0, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1];
  const WIDTHS = { "every-sample": 4, "memorized-mistakes": 2.6, mistakes: 1.6 };
  const WEIGHTS = { left: -2.1, right: 2.6, low: -2.35, high: 2.35 };
  const POINTS = { left: -2.4, right: 2.4, low: -1.1, high: 3.7 };
  const originals = () =>
    lazybook.clouds.points.map(([x, y], at) => ({
      x: Math.fround(x),
      y: Math.fround(y),
      label: lazybook.clouds.labels[at],
    }));

  // All that the scene shows follows from this.
  const usual = () => ({
    start: STARTS[0],
    rate: 3,
    threshold: 0,
    racing: [...lazybook.rules],
    seed: 0,
    map: "loss",
    points: originals(),
    own: false, // whether the points are the reader's
    time: 0,
  });
  let state = usual();
  let order, tracks, terraces, bowl;
  let dragging = null; // "start", or a point

  // --- what follows from the state -------------------------------------------------------------

  const race = () => {
    const { points, start } = state;
    const [rate, threshold] = [RATES[state.rate], THRESHOLDS[state.threshold]];
    order = lazybook.order(points.length, LENGTH, state.seed);
    tracks = lazybook.rules
      .filter((gate) => state.racing.includes(gate))
      .map((gate) => lazybook.track(points, order, { start, gate, rate, threshold }));
    redraw();
  };

  const survey = () => {
    terraces = lazybook.terraces(state.points);
    bowl = state.points.length ? lazybook.bowl(state.points) : null;
  };

  /** Take over some changes of the state; all is computed again. */
  const change = (changes) => {
    Object.assign(state, changes);
    if ("points" in changes) survey();
    race();
    keepAddress();
  };

  // --- the state in the address ----------------------------------------------------------------

  const encoded = (points) => {
    const values = Float32Array.from(points.flatMap(({ x, y }) => [x, y]));
    const text = String.fromCharCode(...new Uint8Array(values.buffer));
    const labels = points.map(({ label }) => label).join("");
    return `${btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "")}.${labels}`;
  };

  const decoded = (text) => {
    const [places, labels] = text.split(".");
    const bytes = atob(places.replaceAll("-", "+").replaceAll("_", "/"));
    const values = new Float32Array(Uint8Array.from(bytes, (sign) => sign.charCodeAt()).buffer);
    const points = [...labels].map((label, at) => ({
      x: values[2 * at],
      y: values[2 * at + 1],
      label: Number(label),
    }));
    if (points.some(({ x, y, label }) => !(within(x, y, POINTS) && label < 2))) throw Error();
    return points;
  };

  let later;
  const keepAddress = () => {
    clearTimeout(later);
    later = setTimeout(() => history.replaceState(null, "", `#${address()}`), 200);
  };

  const address = () => {
    const values = new URLSearchParams({
      start: state.start.join(","),
      rate: RATES[state.rate],
      caching: THRESHOLDS[state.threshold],
      rules: state.racing.join(","),
      order: state.seed,
      map: state.map,
      time: Math.floor(state.time),
    });
    if (state.own) values.set("points", encoded(state.points));
    return values.toString().replaceAll("%2C", ",");
  };

  /** Read the state from the page's address; what makes no sense there is left as it usually is. */
  const readAddress = () => {
    const values = new URLSearchParams(location.hash.slice(1));
    if (!values.has("start")) return false;
    state = usual();
    const start = values.get("start").split(",").map(Number);
    if (start.length === 2 && within(...start, WEIGHTS)) state.start = start;
    const place = (list, name, otherwise) => {
      const at = list.indexOf(Number(values.get(name)));
      return values.has(name) && at >= 0 ? at : otherwise;
    };
    state.rate = place(RATES, "rate", state.rate);
    state.threshold = place(THRESHOLDS, "caching", state.threshold);
    const named = (values.get("rules") || "").split(",");
    state.racing = lazybook.rules.filter((rule) => named.includes(rule));
    state.seed = Math.abs(parseInt(values.get("order"), 10)) || 0;
    if (values.get("map") === "accuracy") state.map = "accuracy";
    state.time = Math.min(Math.max(parseInt(values.get("time"), 10) || 0, 0), LENGTH);
    try {
      if (values.has("points")) Object.assign(state, { points: decoded(values.get("points")), own: true });
    } catch {
      // a link that was cut off
    }
    return true;
  };

  // --- maps ------------------------------------------------------------------------------------

  const within = (x, y, { left, right, low, high }) => x >= left && x <= right && y >= low && y <= high;
  const clamped = (x, y, { left, right, low, high }) => [
    Math.min(Math.max(x, left), right),
    Math.min(Math.max(y, low), high),
  ];

  /** Prepare a square canvas as a map: `at` gives the place of two coordinates on it. */
  const chart = (canvas, area) => {
    const { context, width } = lazybook.context(canvas);
    const unit = width / (area.right - area.left);
    const at = (x, y) => [(x - area.left) * unit, (area.high - y) * unit];
    return { context, width, unit, at };
  };

  /** Return the coordinates on a map under a pointer. */
  const under = (event, canvas, area) => {
    const box = canvas.getBoundingClientRect();
    const unit = (area.right - area.left) / box.width;
    return [area.left + (event.clientX - box.left) * unit, area.high - (event.clientY - box.top) * unit];
  };

  const axes = ({ context, width, at }, area, [across, up], { ink }) => {
    const [x, y] = at(0, 0);
    lazybook.line(context, [0, y, width, y], ink, 1, 0.25);
    lazybook.line(context, [x, 0, x, width], ink, 1, 0.25);
    context.fillStyle = ink;
    context.textAlign = "right";
    context.fillText(across, width - 6, y - 5);
    context.textAlign = "left";
    context.fillText(up, x + 6, 14);
  };

  const drawLoss = ({ context, unit, at, width }, { ink }) => {
    const levels = [0.1, 0.25, 0.5, 1, 2, 4, 8, 16, 32].filter((level) => level > bowl.loss);
    const ellipse = (level) => {
      const reach = bowl.steep.map((steep) => Math.sqrt((level - bowl.loss) / steep) * unit);
      context.ellipse(...at(...bowl.lowest), ...reach, -bowl.angle, 0, 2 * Math.PI);
    };
    Object.assign(context, { fillStyle: ink, strokeStyle: ink, lineWidth: 0.7 });
    levels.forEach((level, place) => {
      context.beginPath();
      ellipse(level);
      context.globalAlpha = 0.4;
      context.stroke();
      context.beginPath();
      context.rect(0, 0, width, width);
      ellipse(level);
      context.globalAlpha = 0.035 + 0.006 * place; // all outside: shades add up outwards
      context.fill("evenodd");
    });
    context.globalAlpha = 1;
  };

  const drawAccuracy = ({ context, at, width }, { ink }) => {
    const origin = at(0, 0);
    const best = Math.max(...terraces.map(({ share }) => share));
    // A gradient around the origin has no seams between the terraces. It turns clockwise.
    const fan = context.createConicGradient(0, ...origin);
    const shade = (share) => ink.replace("rgb(", "rgba(").replace(")", `, ${0.4 * (1 - share)})`);
    const turn = 2 * Math.PI;
    const ends = terraces.flatMap(({ from, to, share }) =>
      to > turn ? [{ from, to: turn, share }, { from: 0, to: to - turn, share }] : [{ from, to, share }],
    );
    ends.sort((a, b) => b.from - a.from);
    ends.forEach(({ from, to, share }) => {
      fan.addColorStop(Math.min(Math.max(1 - to / turn, 0), 1), shade(share));
      fan.addColorStop(Math.min(Math.max(1 - from / turn, 0), 1), shade(share));
    });
    context.fillStyle = fan;
    context.fillRect(0, 0, width, width);
    const ray = (angle, strength, alpha) => {
      const end = at(9 * Math.cos(angle), 9 * Math.sin(angle));
      lazybook.line(context, [...origin, ...end], ink, strength, alpha);
    };
    terraces.forEach(({ from, share }, place) => {
      const before = terraces.at(place - 1).share;
      if ((share === best) !== (before === best)) ray(from, 1.6, 0.9);
      else if (Math.floor(20 * share + 1e-9) !== Math.floor(20 * before + 1e-9)) ray(from, 0.6, 0.45);
    });
  };

  const drawWeights = (colours) => {
    const map = chart(part("weights"), WEIGHTS);
    const { context, at } = map;
    if (state.map === "accuracy" && terraces.length) drawAccuracy(map, colours);
    if (state.map === "loss" && bowl) drawLoss(map, colours);
    axes(map, WEIGHTS, ["w₁", "w₂"], colours);
    const time = Math.floor(state.time);
    tracks.forEach(({ gate, w1, w2 }) => {
      const path = (from, to) => {
        const values = [];
        let last = [NaN, NaN];
        for (let step = from; step <= to; step++) {
          const place = at(w1[step], w2[step]);
          const moved = Math.hypot(place[0] - last[0], place[1] - last[1]);
          if (!(moved < 0.4) || step === to) values.push(...(last = place)); // what can be seen
        }
        return values;
      };
      const [colour, width] = [colours.rules[gate], WIDTHS[gate]];
      if (!player.playing) lazybook.line(context, path(time, LENGTH), colour, width, 0.3);
      lazybook.line(context, path(0, time), colour, width);
    });
    tracks.forEach(({ gate, w1, w2 }) => {
      const [x, y] = at(w1[time], w2[time]);
      Object.assign(context, { fillStyle: colours.rules[gate], strokeStyle: "white", lineWidth: 1.5 });
      context.beginPath();
      context.rect(x - 5, y - 5, 10, 10);
      context.fill();
      context.stroke();
    });
    const [x, y] = at(...state.start);
    context.beginPath();
    context.arc(x, y, 9, 0, 2 * Math.PI);
    Object.assign(context, { fillStyle: "white", strokeStyle: "black", lineWidth: 2 });
    context.fill();
    context.stroke();
    lazybook.line(context, [x - 4, y, x + 4, y], "black", 1.5);
    lazybook.line(context, [x, y - 4, x, y + 4], "black", 1.5);
  };

  const marker = (context, [x, y], label, size) => {
    context.beginPath();
    if (label) {
      context.moveTo(x, y - size * 1.2);
      context.lineTo(x + size * 1.1, y + size * 0.8);
      context.lineTo(x - size * 1.1, y + size * 0.8);
      context.closePath();
    } else context.arc(x, y, size, 0, 2 * Math.PI);
  };

  const boundary = ({ context, at }, track, colour, width) => {
    const time = Math.floor(state.time);
    const [w1, w2] = [track.w1[time], track.w2[time]];
    const far = 9 / (Math.hypot(w1, w2) || 1);
    const ends = [...at(-w2 * far, w1 * far), ...at(w2 * far, -w1 * far)];
    lazybook.line(context, ends, colour, width);
  };

  const drawPoints = (colours) => {
    const map = chart(part("points"), POINTS);
    const { context, at } = map;
    axes(map, POINTS, ["x₁", "x₂"], colours);
    tracks.forEach((track) => boundary(map, track, colours.rules[track.gate], WIDTHS[track.gate]));
    const shown = state.time >= 1 ? order[Math.floor(state.time) - 1] : -1;
    state.points.forEach((point, number) => {
      marker(context, at(point.x, point.y), point.label, 4.5);
      Object.assign(context, { strokeStyle: colours.ink, fillStyle: colours.ink, lineWidth: 1.2 });
      context.globalAlpha = point.label ? 0.75 : 0.12;
      context.fill();
      context.globalAlpha = 0.9;
      context.stroke();
      context.globalAlpha = 1;
      if (number === shown || point === dragging || number === Number(field("point").value) - 1) {
        context.beginPath();
        context.arc(...at(point.x, point.y), 9.5, 0, 2 * Math.PI);
        context.setLineDash(number === shown ? [] : [2, 2]);
        context.lineWidth = 1.5;
        context.stroke();
        context.setLineDash([]);
      }
    });
  };

  // --- the rules' cards ------------------------------------------------------------------------

  /** Return which points a rule learned in the pass that ends now: their numbers. */
  const learnedNow = (track) => {
    const time = Math.floor(state.time);
    const learned = new Set();
    for (let step = Math.max(0, time - state.points.length); step < time; step++)
      if (track.learned[step]) learned.add(order[step]);
    return learned;
  };

  const drawCard = (card, track, most, colours) => {
    const map = chart(card.querySelector("canvas"), POINTS);
    const { context, at } = map;
    const time = Math.floor(state.time);
    const colour = colours.rules[card.dataset.rule];
    const learned = track ? learnedNow(track) : new Set();
    const remembered = track ? track.rememberedAt.map((when) => when <= time) : [];
    if (track) boundary(map, track, colour, 1.6);
    state.points.forEach((point, number) => {
      marker(context, at(point.x, point.y), point.label, 2.6);
      Object.assign(context, { strokeStyle: colours.ink, fillStyle: colour, lineWidth: 0.7 });
      context.globalAlpha = 0.5;
      if (remembered[number]) {
        Object.assign(context, { strokeStyle: colour, lineWidth: 1.6 });
        context.globalAlpha = 1;
      }
      context.stroke();
      context.globalAlpha = 1;
      if (learned.has(number)) context.fill();
    });
    const numbers = track
      ? {
          energy: lazybook.number(track.energy[time]),
          accuracy: `${(100 * track.judged.accuracy).toFixed(1)} %`,
          loss: lazybook.number(track.judged.loss),
          learned: learned.size,
          remembered: lazybook.gates[track.gate].remembers ? remembered.reduce((a, b) => a + b, 0) : "–",
        }
      : {};
    for (const name of ["energy", "accuracy", "loss", "learned", "remembered"])
      card.querySelector(`[data-number="${name}"]`).textContent = numbers[name] ?? "–";
    card.querySelector(".bar > span").style.width = track ? `${(100 * track.energy[time]) / most}%` : 0;
    card.classList.toggle("idle", !track);
  };

  const drawEnergy = (colours, most) => {
    const { context, width, height } = lazybook.context(part("energy"));
    const [left, bottom] = [8, height - 18];
    const place = (time, energy) => [
      left + (time / LENGTH) * (width - left - 8),
      bottom - (energy / most) * (bottom - 16),
    ];
    const now = Math.floor(state.time);
    lazybook.line(context, [...place(0, 0), ...place(LENGTH, 0)], colours.ink, 1, 0.5);
    lazybook.line(context, [...place(now, 0), ...place(now, most)], colours.ink, 1, 0.5);
    context.fillStyle = colours.ink;
    context.fillText(`energy, up to ${lazybook.number(most)}`, left, 11);
    context.textAlign = "right";
    context.fillText("presentations", width - 8, height - 4);
    tracks.forEach((track) => {
      const curve = (from, to) => {
        const values = [];
        for (let time = from; time < to; time += 20) values.push(...place(time, track.energy[time]));
        return values.concat(place(to, track.energy[to]));
      };
      const [colour, wide] = [colours.rules[track.gate], WIDTHS[track.gate]];
      if (!player.playing) lazybook.line(context, curve(now, LENGTH), colour, wide, 0.3);
      lazybook.line(context, curve(0, now), colour, wide);
    });
  };

  /** Say in a sentence where the race stands. */
  const said = () => {
    const time = Math.floor(state.time);
    if (!state.points.length) return "There are no points: add some.";
    if (!tracks.length) return "No rule takes part: choose one.";
    if (time === 0) return "Play the race, or drag the white start to another place.";
    if (time < LENGTH) {
      const names = (does) =>
        tracks
          .filter(({ learned }) => Boolean(learned[time - 1]) === does)
          .map(({ gate }) => lazybook.gates[gate].name)
          .join(" and ");
      const point = state.points[order[time - 1]];
      const parts = [names(true) && `learned by ${names(true)}`, names(false) && `left out by ${names(false)}`];
      return `Presentation ${time.toLocaleString("en")}: a point of class ${point.label}, ${parts.filter(Boolean).join(", ")}.`;
    }
    const energies = tracks.map((track) => track.energy[time]);
    const [least, most] = [Math.min(...energies), Math.max(...energies)];
    const name = (energy) => lazybook.gates[tracks[energies.indexOf(energy)].gate].name;
    if (!(least < most)) return "At the end all have spent the same energy.";
    const times = least ? `${lazybook.number(most / least)} times the energy of ${name(least)}` : `energy, and ${name(least)} none`;
    return `At the end ${name(most)} has spent ${times}.`;
  };

  // --- drawing all of it -----------------------------------------------------------------------

  const draw = () => {
    const colours = lazybook.colours();
    const time = Math.floor(state.time);
    const most = Math.max(...tracks.map(({ energy }) => energy[LENGTH]), 1e-9);
    tracks.forEach((track) => (track.judged = lazybook.judge(state.points, track.w1[time], track.w2[time])));
    drawWeights(colours);
    drawPoints(colours);
    drawEnergy(colours, most);
    for (const card of scene.querySelectorAll(".card")) {
      const track = tracks.find(({ gate }) => gate === card.dataset.rule);
      drawCard(card, track, most, colours);
      card.querySelector("input").checked = Boolean(track);
    }
    field("time").value = time;
    part("time").textContent = `${time.toLocaleString("en")} of ${LENGTH.toLocaleString("en")}`;
    // What is read aloud must not change many times a second.
    part("said").textContent = player.playing ? "" : said();
    field("rate").value = state.rate;
    part("rate").textContent = RATES[state.rate];
    field("threshold").value = state.threshold;
    part("threshold").textContent = THRESHOLDS[state.threshold] || "none";
    for (const name of ["w1", "w2"])
      if (document.activeElement !== field(name)) field(name).value = state.start[Number(name[1]) - 1].toFixed(2);
    field("point").max = state.points.length;
    for (const choice of scene.querySelectorAll('[name="map"]')) choice.checked = choice.value === state.map;
    part("weights").setAttribute(
      "aria-label",
      `The ${state.map} over the two weights, and the paths of the rules from (${state.start.map((w) => w.toFixed(2))}). ${said()}`,
    );
    part("points").setAttribute("aria-label", `${state.points.length} points of two classes, and each rule's boundary.`);
    part("energy").setAttribute(
      "aria-label",
      `Energy: ${tracks.map(({ gate, energy }) => `${lazybook.gates[gate].name} ${lazybook.number(energy[time])}`).join(", ")}.`,
    );
  };
  const redraw = lazybook.onceAFrame(draw);

  // Slow at first, where the paths are long, and faster towards the end: 11 seconds in all.
  const player = lazybook.player(part("play"), (seconds) => {
    state.time = Math.min(state.time + seconds * (40 + 0.35 * state.time), LENGTH);
    redraw();
    return state.time < LENGTH;
  });
  part("play").addEventListener("click", () => {
    if (player.playing && state.time >= LENGTH) state.time = 0;
    redraw();
    keepAddress();
  });

  // --- controls --------------------------------------------------------------------------------

  const goTo = (time) => {
    player.pause();
    state.time = Math.min(Math.max(time, 0), LENGTH);
    redraw();
    keepAddress();
  };
  part("step").addEventListener("click", () => goTo(Math.floor(state.time) + 1));
  part("reset").addEventListener("click", () => goTo(0));
  field("time").addEventListener("input", (event) => goTo(Number(event.target.value)));
  field("rate").addEventListener("input", (event) => change({ rate: Number(event.target.value) }));
  field("threshold").addEventListener("input", (event) => change({ threshold: Number(event.target.value) }));
  part("order").addEventListener("click", () => change({ seed: state.seed + 1 }));
  STARTS.forEach((start, number) =>
    part(`start-${number + 1}`).addEventListener("click", () => change({ start })),
  );
  for (const name of ["w1", "w2"])
    field(name).addEventListener("input", () => {
      const start = clamped(Number(field("w1").value), Number(field("w2").value), WEIGHTS);
      if (start.every(Number.isFinite)) change({ start });
    });
  for (const choice of scene.querySelectorAll('[name="map"]'))
    choice.addEventListener("change", () => change({ map: choice.value }));
  for (const card of scene.querySelectorAll(".card"))
    card.querySelector("input").addEventListener("change", (event) => {
      const others = state.racing.filter((rule) => rule !== card.dataset.rule);
      change({ racing: event.target.checked ? [...others, card.dataset.rule] : others });
    });

  // --- points ----------------------------------------------------------------------------------

  const setPoints = (points, own = true) => change({ points, own });
  const add = (x, y, label) => {
    [x, y] = clamped(x, y, POINTS).map(Math.fround);
    const point = { x, y, label };
    setPoints([...state.points, point]);
    return point;
  };
  const move = (point, x, y) => {
    [point.x, point.y] = clamped(x, y, POINTS).map(Math.fround);
    setPoints(state.points);
  };
  const remove = (point) => setPoints(state.points.filter((other) => other !== point));
  part("originals").addEventListener("click", () => setPoints(originals(), false));
  part("empty").addEventListener("click", () => setPoints([]));

  const chosen = () => state.points[Number(field("point").value) - 1];
  field("point").addEventListener("input", () => {
    const point = chosen();
    field("x1").value = point ? point.x.toFixed(2) : "";
    field("x2").value = point ? point.y.toFixed(2) : "";
    redraw();
  });
  for (const name of ["x1", "x2"])
    field(name).addEventListener("input", () => {
      const place = [Number(field("x1").value), Number(field("x2").value)];
      if (chosen() && place.every(Number.isFinite)) move(chosen(), ...place);
    });
  for (const label of [0, 1])
    part(`add-${label}`).addEventListener("click", () => {
      add(Number(field("x1").value), Number(field("x2").value), label);
      field("point").value = state.points.length;
      redraw();
    });
  part("delete").addEventListener("click", () => chosen() && remove(chosen()));

  const tool = () => scene.querySelector('[name="tool"]:checked').value;
  const nearest = (event, canvas) => {
    const [x, y] = under(event, canvas, POINTS);
    const reach = (18 / canvas.clientWidth) * (POINTS.right - POINTS.left); // a finger's width
    const far = (point) => Math.hypot(point.x - x, point.y - y);
    const near = state.points.reduce((a, b) => (a && far(a) <= far(b) ? a : b), null);
    return near && far(near) < reach ? near : null;
  };

  /**
   * Let something on a canvas be dragged. `take` says what is under the pointer, if anything; only
   * then the page does not scroll under a finger.
   */
  const draggable = (canvas, area, take, to) => {
    const reached = (touch) => take(touch) !== null;
    canvas.addEventListener(
      "touchstart",
      (event) => reached(event.touches[0]) && event.preventDefault(),
      { passive: false },
    );
    canvas.addEventListener("pointerdown", (event) => {
      const taken = take(event);
      if (taken === null) return;
      event.preventDefault();
      canvas.setPointerCapture(event.pointerId);
      player.pause();
      dragging = taken === "new" ? add(...under(event, canvas, area), Number(tool())) : taken;
      redraw();
    });
    canvas.addEventListener("pointermove", (event) => {
      if (dragging) to(dragging, ...under(event, canvas, area));
      canvas.style.cursor = dragging ? "grabbing" : take(event) === null ? "" : "grab";
    });
    for (const end of ["pointerup", "pointercancel"])
      canvas.addEventListener(end, () => {
        dragging = null;
        redraw();
      });
  };
  draggable(
    part("weights"),
    WEIGHTS,
    (event) => {
      const [x, y] = under(event, part("weights"), WEIGHTS);
      const near = Math.hypot(x - state.start[0], y - state.start[1]);
      return (near / (WEIGHTS.right - WEIGHTS.left)) * part("weights").clientWidth < 26 ? "start" : null;
    },
    (_, x, y) => change({ start: clamped(x, y, WEIGHTS).map((w) => Math.round(100 * w) / 100) }),
  );
  draggable(
    part("points"),
    POINTS,
    (event) => {
      if (tool() === "move") return nearest(event, part("points"));
      return tool() === "delete" ? null : "new";
    },
    move,
  );
  part("points").addEventListener("click", (event) => {
    const point = nearest(event, part("points"));
    if (tool() === "delete" && point) remove(point);
  });

  // --- begin -----------------------------------------------------------------------------------

  document.documentElement.classList.add("with-scripts");
  const asked = readAddress();
  survey();
  race();
  lazybook.onLook(scene, redraw);
  window.addEventListener("hashchange", () => {
    if (!readAddress()) return;
    player.pause();
    survey();
    race();
  });
  // The page opens with a replay, once it is in sight; it stands still for those who want that.
  if (asked) return;
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) {
    state.time = LENGTH;
    return;
  }
  const sight = new IntersectionObserver(
    ([entry]) => {
      if (!entry.isIntersecting) return;
      sight.disconnect();
      player.play();
    },
    { threshold: 0.3 },
  );
  sight.observe(part("weights"));
});
