/* The scene of the digits: a network that has learned some goes on learning in the page. */
"use strict";

document.addEventListener("DOMContentLoaded", async () => {
  const scene = document.getElementById("digits");
  const part = (name) => scene.querySelector(`[data-part="${name}"]`);
  const data = lazybook.digits;
  const SIDE = 28;
  const EVERY = 100; // presentations between two measurements of the accuracy
  const A_SECOND = 60; // presentations

  // --- the network and its images --------------------------------------------------------------

  const { weights, sizes, samples: all } = await lazybook.unpacked(data);
  const [given, tests] = [all.slice(0, data.toLearn), all.slice(data.toLearn)];

  let samples, network, gate, order, presented, learned, traces;
  let own = null; // the reader's digit, as a sample without a label

  const accuracy = () =>
    tests.filter(({ inputs, label }) => network.classify(inputs) === label).length / tests.length;
  const measure = () => traces[gate].push([network.energy, accuracy()]);

  /** Begin again with the rule `name`; what the other rules have reached stays in the chart. */
  const begin = (name) => {
    gate = name;
    samples = [...given];
    const { rate, leak } = data;
    network = new lazybook.Network({ weights, sizes, bias: true, leak, gate, rate });
    [presented, learned] = [0, new Set()];
    order = [];
    traces[gate] = [];
    measure();
  };

  /** Present one sample; what is learned for the first time joins the wall. */
  const present = (number) => {
    const answer = network.classify(samples[number].inputs);
    const does = network.present(samples[number].inputs, samples[number].label, number);
    if (does) learned.add(number);
    presented++;
    if (presented % EVERY === 0) measure();
    return { number, answer, does };
  };

  let last = null; // what was presented last
  const next = () => {
    if (!order.length) order = lazybook.order(samples.length, samples.length, presented);
    last = present(order.pop());
  };

  // --- drawing ---------------------------------------------------------------------------------

  const picture = (values) => {
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = SIDE;
    const image = new ImageData(SIDE, SIDE);
    values.forEach((value, at) => image.data.set([value, value, value, 255], 4 * at));
    canvas.getContext("2d").putImageData(image, 0, 0);
    return canvas;
  };
  const pictures = new Map(); // of samples, made when they are first shown
  const pictureOf = (sample) => {
    if (!pictures.has(sample)) pictures.set(sample, picture(sample.pixels));
    return pictures.get(sample);
  };

  const drawWall = (colours) => {
    const canvas = part("wall");
    const size = 24;
    const columns = Math.floor(canvas.clientWidth / size);
    canvas.style.height = `${size * Math.max(1, Math.ceil(learned.size / columns))}px`;
    const { context } = lazybook.context(canvas);
    [...learned].forEach((number, place) => {
      const [x, y] = [(place % columns) * size, Math.floor(place / columns) * size];
      context.drawImage(pictureOf(samples[number]), x + 1, y + 1, size - 2, size - 2);
      if (number < given.length && number !== last?.number) return;
      Object.assign(context, { strokeStyle: colours.rules[gate], lineWidth: 2.5 });
      context.strokeRect(x + 1, y + 1, size - 2, size - 2);
    });
    const count = learned.size.toLocaleString("en");
    const kept = { "memorized-mistakes": ": its memory", "every-sample": "", mistakes: "; none is remembered" }[gate];
    part("count").textContent = `${count} of ${samples.length.toLocaleString("en")} images learned at least once${kept}`;
    canvas.setAttribute("aria-label", `A wall of images. ${part("count").textContent}.`);
  };

  const drawChart = (colours) => {
    const { context, width, height } = lazybook.context(part("chart"));
    const points = Object.values(traces).flat();
    const most = Math.max(...points.map(([energy]) => energy), 20);
    const reached = points.map(([, value]) => value);
    const [low, high] = [Math.min(...reached) - 0.02, Math.max(...reached) + 0.02];
    const [left, bottom] = [42, height - 22];
    const place = ([energy, value]) => [
      left + (energy / most) * (width - left - 8),
      bottom - ((value - low) / (high - low)) * (bottom - 20),
    ];
    lazybook.line(context, [left, 14, left, bottom, width - 8, bottom], colours.ink, 1, 0.5);
    context.fillStyle = colours.ink;
    context.fillText("accuracy on other digits", left + 6, 12);
    context.textAlign = "right";
    context.fillText("energy", width - 8, height - 6);
    for (const value of [low + 0.02, high - 0.02])
      context.fillText(`${(100 * value).toFixed(0)} %`, left - 4, place([0, value])[1] + 4);
    for (const [name, trace] of Object.entries(traces)) {
      lazybook.line(context, trace.flatMap(place), colours.rules[name], name === gate ? 2.4 : 1.4);
      const [x, y] = place(trace.at(-1));
      context.fillStyle = colours.rules[name];
      context.fillRect(x - 3.5, y - 3.5, 7, 7);
    }
    const ends = Object.entries(traces).map(([name, trace]) => {
      const [energy, value] = trace.at(-1);
      return `${lazybook.gates[name].name} ${(100 * value).toFixed(1)} % for ${lazybook.number(energy)}`;
    });
    part("chart").setAttribute("aria-label", `Accuracy against energy: ${ends.join("; ")}.`);
  };

  const drawNow = (colours) => {
    const { context, width } = lazybook.context(part("now"));
    context.imageSmoothingEnabled = false;
    if (last) context.drawImage(pictureOf(samples[last.number]), 0, 0, width, width);
    part("presented").textContent = presented.toLocaleString("en");
    part("updates").textContent = network.updates.toLocaleString("en");
    part("spent").textContent = lazybook.number(network.energy);
    part("accuracy").textContent = `${(100 * traces[gate].at(-1)[1]).toFixed(1)} %`;
    part("said").textContent = last
      ? `A ${samples[last.number].label}, read as ${last.answer}: ${last.does ? "learned" : "left out"}`
      : "";
    part("now").style.borderColor = last?.does ? colours.rules[gate] : "";
  };

  const drawAnswer = () => {
    const answer = own && network.classify(own.inputs);
    const outputs = [...network.outputs];
    const floor = Math.min(...outputs, 0);
    scene.querySelectorAll("[data-digit]").forEach((row, digit) => {
      const share = own ? (outputs[digit] - floor) / (Math.max(...outputs) - floor) : 0;
      row.querySelector("span").style.width = `${100 * share}%`;
      row.classList.toggle("chosen", digit === answer);
      row.disabled = !own;
    });
    part("answer").textContent = own
      ? `The network reads ${answer}. What is it? Choose the digit to teach it.`
      : "Draw a digit, or take one.";
  };

  const draw = () => {
    const colours = lazybook.colours();
    drawNow(colours);
    drawWall(colours);
    drawChart(colours);
    drawAnswer();
  };
  const redraw = lazybook.onceAFrame(draw);

  // --- the reader's digit ----------------------------------------------------------------------

  const pad = part("pad");
  const ink = pad.getContext("2d", { willReadFrequently: true });
  const wipe = () => {
    ink.fillStyle = "black";
    ink.fillRect(0, 0, pad.width, pad.height);
    own = null;
    redraw();
  };

  /** Return what is on the pad as MNIST's images were made: 20 pixels high or wide, its mass central. */
  const asImage = () => {
    const { width, height } = pad;
    const values = ink.getImageData(0, 0, width, height).data.filter((_, at) => at % 4 === 0);
    const marked = [...values.keys()].filter((at) => values[at] > 20);
    if (!marked.length) return null;
    const ends = (numbers) => numbers.reduce(([a, b], n) => [Math.min(a, n), Math.max(b, n)], [Infinity, 0]);
    const [left, right] = ends(marked.map((at) => at % width));
    const [top, low] = ends(marked.map((at) => Math.floor(at / width)));
    const [wide, tall] = [right - left + 1, low - top + 1];
    const unit = 20 / Math.max(wide, tall);
    const total = marked.reduce((sum, at) => sum + values[at], 0);
    const centre = (place) => marked.reduce((sum, at) => sum + values[at] * place(at), 0) / total;
    const [x, y] = [centre((at) => at % width), centre((at) => Math.floor(at / width))];
    const small = document.createElement("canvas");
    small.width = small.height = SIDE;
    const context = small.getContext("2d");
    context.imageSmoothingQuality = "high";
    context.fillRect(0, 0, SIDE, SIDE);
    context.drawImage(
      pad,
      ...[left, top, wide, tall],
      ...[SIDE / 2 - (x - left) * unit, SIDE / 2 - (y - top) * unit, wide * unit, tall * unit],
    );
    return context.getImageData(0, 0, SIDE, SIDE).data.filter((_, at) => at % 4 === 0);
  };

  const read = (values) => {
    own = values && { pixels: values, inputs: Float64Array.from(values, (value) => value / 255) };
    redraw();
  };

  let pen = null;
  const place = (event) => {
    const box = pad.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * pad.width, ((event.clientY - box.top) / box.height) * pad.height];
  };
  const stroke = (to) => {
    Object.assign(ink, { strokeStyle: "white", lineWidth: 20, lineCap: "round", lineJoin: "round" });
    ink.beginPath();
    ink.moveTo(...pen);
    ink.lineTo(...to);
    ink.stroke();
    pen = to;
  };
  pad.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    pad.setPointerCapture(event.pointerId);
    if (own?.taken) wipe();
    pen = place(event);
    stroke(pen);
  });
  pad.addEventListener("pointermove", (event) => pen && stroke(place(event)));
  for (const end of ["pointerup", "pointercancel"])
    pad.addEventListener(end, () => {
      if (pen) read(asImage());
      pen = null;
    });
  part("wipe").addEventListener("click", wipe);
  part("take").addEventListener("click", () => {
    const { pixels: values } = tests[Math.floor(Math.random() * tests.length)];
    ink.imageSmoothingEnabled = true;
    ink.drawImage(picture(values), 0, 0, pad.width, pad.height);
    read(values);
    own.taken = true;
  });

  /** Present the reader's digit with its label; it is one of the samples from now on. */
  const teach = (label) => {
    samples.push({ ...own, label });
    last = present(samples.length - 1);
    const after = network.classify(own.inputs);
    redraw();
    requestAnimationFrame(() => {
      const first = last.answer === label ? "That was right" : `It had read ${last.answer}`;
      const does = last.does ? `so it learned the image${gate === "memorized-mistakes" ? " and remembers it" : ""}` : "so it left the image out";
      part("answer").textContent = `${first}, ${does}. Now it reads ${after}.`;
    });
  };
  scene.querySelectorAll("[data-digit]").forEach((row, digit) => row.addEventListener("click", () => own && teach(digit)));

  // --- controls and beginning ------------------------------------------------------------------

  let due = 0; // presentations
  const player = lazybook.player(part("play"), (seconds) => {
    due += seconds * A_SECOND;
    for (; due >= 1; due--) next();
    redraw();
    return true;
  });
  part("step").addEventListener("click", () => {
    player.pause();
    next();
    redraw();
  });
  part("pass").addEventListener("click", () => {
    do next();
    while (order.length);
    redraw();
  });
  const restart = () => {
    player.pause();
    last = null;
    begin(scene.querySelector('[name="gate"]:checked').value);
    redraw();
  };
  part("restart").addEventListener("click", restart);
  for (const choice of scene.querySelectorAll('[name="gate"]')) choice.addEventListener("change", restart);

  traces = {};
  wipe();
  restart();
  lazybook.onLook(part("wall"), redraw);
});
