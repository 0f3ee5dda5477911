// Small Chart.js plugins: lines across a chart with what they say, names beside points and lines, numbers beside bars.

/** Text that stays readable where it crosses a line. */
function haloed(ctx, theme, text, x, y) {
  ctx.setLineDash([]);
  ctx.lineJoin = "round";
  ctx.strokeStyle = theme.surface;
  ctx.lineWidth = 4;
  ctx.strokeText(text, x, y);
  ctx.fillText(text, x, y);
}

/** A limit, a target, a chosen point: a dashed line with its label at the end. */
export const marks = {
  id: "marks",
  afterDatasetsDraw(chart, _args, { lines = [], theme }) {
    const { ctx, chartArea: area, scales } = chart;
    for (const { axis, value, label } of lines) {
      const at = scales[axis]?.getPixelForValue(value);
      const inside = axis === "x" ? at >= area.left - 1 && at <= area.right + 1 : at >= area.top - 1 && at <= area.bottom + 1;
      if (!inside) continue;
      ctx.save();
      ctx.strokeStyle = theme.bad;
      ctx.fillStyle = theme.bad;
      ctx.lineWidth = 1.5;
      ctx.setLineDash([5, 4]);
      ctx.beginPath();
      if (axis === "x") ctx.moveTo(at, area.top), ctx.lineTo(at, area.bottom);
      else ctx.moveTo(area.left, at), ctx.lineTo(area.right, at);
      ctx.stroke();
      ctx.font = `600 11px ${chart.options.font?.family ?? "sans-serif"}`;
      const width = ctx.measureText(label).width;
      const x = axis === "x" ? Math.min(Math.max(at - width / 2, area.left), area.right - width) : area.right - width;
      haloed(ctx, theme, label, x, axis === "x" ? area.top - 6 : at - 5);
      ctx.restore();
    }
  },
};

/** Names beside points, the emphasised ones first: on the first side where they lie on no other point or name. */
export const names = {
  id: "names",
  afterDatasetsDraw(chart, _args, { theme }) {
    const { ctx, chartArea: area } = chart;
    const points = chart.data.datasets.flatMap((dataset, n) => chart.getDatasetMeta(n).data.map((element, at) => ({ element, named: dataset.named, ...dataset.points[at] })));
    const taken = points.map(({ element: { x, y } }) => ({ left: x - 7, right: x + 7, top: y - 7, bottom: y + 7 }));
    for (const { axis, value } of chart.options.plugins.marks?.lines ?? []) {
      const at = axis === "y" ? chart.scales.y.getPixelForValue(value) : null;
      // A mark's own label stands at the right end, above its line.
      if (at !== null) taken.push({ left: area.right - 90, right: area.right, top: at - 16, bottom: at });
    }
    const free = (box) => box.left >= area.left && box.right <= area.right && box.top >= area.top - 8
      && !taken.some((b) => b.left < box.right && box.left < b.right && b.top < box.bottom && box.top < b.bottom);
    ctx.save();
    ctx.font = `11px ${chart.options.font?.family ?? "sans-serif"}`;
    for (const { element, label, strong } of points.filter((p) => p.named && p.label).sort((a, b) => Number(b.strong) - Number(a.strong))) {
      const box = sidesOf(element, ctx.measureText(label).width).find(free);
      if (!box) continue;
      taken.push(box);
      ctx.fillStyle = strong ? theme.ink : theme.muted;
      haloed(ctx, theme, label, box.left, box.bottom - 4);
    }
    ctx.restore();
  },
};

/** Where a name may stand: right of its point, left, above, below. */
function sidesOf({ x, y }, width) {
  const at = (left, middle) => ({ left, right: left + width, top: middle - 7, bottom: middle + 7 });
  return [at(x + 10, y), at(x - 10 - width, y), at(x - width / 2, y - 15), at(x - width / 2, y + 15)];
}

/** The number of each bar: at its end, or inside where the bars are stacked and it fits. */
export const values = {
  id: "values",
  afterDatasetsDraw(chart, _args, { theme }) {
    const { ctx } = chart;
    const flat = chart.options.indexAxis === "y";
    ctx.save();
    ctx.font = `600 11px ${chart.options.font?.family ?? "sans-serif"}`;
    ctx.textBaseline = "middle";
    chart.data.datasets.forEach((dataset, n) => {
      if (!dataset.values || !chart.isDatasetVisible(n)) return;
      const bars = chart.getDatasetMeta(n).data;
      const slot = chart.chartArea.width / Math.max(1, bars.length);
      const tight = !flat && dataset.shorts && dataset.values.some((text) => ctx.measureText(text).width > slot - 4);
      bars.forEach((bar, at) => {
        const text = (tight ? dataset.shorts : dataset.values)[at];
        if (!text) return;
        const room = Math.abs(flat ? bar.x - bar.base : bar.y - bar.base);
        const width = ctx.measureText(text).width;
        if (dataset.inside) {
          if (room < (flat ? width + 8 : 16)) return;
          ctx.fillStyle = theme.surface;
          ctx.textAlign = "center";
          ctx.fillText(text, flat ? (bar.x + bar.base) / 2 : bar.x, flat ? bar.y : (bar.y + bar.base) / 2);
          return;
        }
        ctx.fillStyle = theme.ink;
        ctx.textAlign = flat ? "left" : "center";
        haloed(ctx, theme, text, flat ? Math.max(bar.x, bar.base) + 6 : bar.x, flat ? bar.y : Math.min(bar.y, bar.base) - 9);
        const low = dataset.lows?.[at];
        if (!flat || !low) return;
        const left = Math.min(bar.x, bar.base) - 6;
        // Where the name of the bar would be covered, its low end is left to the table.
        if (left - ctx.measureText(low).width < chart.chartArea.left) return;
        ctx.textAlign = "right";
        haloed(ctx, theme, low, left, bar.y);
      });
    });
    ctx.restore();
  },
};

/** In a waterfall each step begins where the one before ended: a thin line says so. */
export const steps = {
  id: "steps",
  beforeDatasetsDraw(chart, _args, { theme }) {
    const { ctx } = chart;
    const bars = chart.getDatasetMeta(0).data;
    const { points } = chart.data.datasets[0];
    ctx.save();
    ctx.strokeStyle = theme.muted;
    ctx.setLineDash([2, 3]);
    bars.slice(1).forEach((bar, n) => {
      const level = chart.scales.y.getPixelForValue(points[n].y);
      ctx.beginPath();
      ctx.moveTo(bars[n].x + bars[n].width / 2, level);
      ctx.lineTo(bar.x - bar.width / 2, level);
      ctx.stroke();
    });
    ctx.restore();
  },
};

/** Names at the right end of lines that share a colour, kept apart where the lines meet. */
export const ends = {
  id: "ends",
  afterDatasetsDraw(chart, _args, { theme }) {
    const { ctx, chartArea: area } = chart;
    ctx.save();
    ctx.font = `600 11px ${chart.options.font?.family ?? "sans-serif"}`;
    ctx.fillStyle = theme.ink;
    ctx.textBaseline = "middle";
    const named = chart.data.datasets.map((dataset, n) => ({ text: dataset.end, y: chart.getDatasetMeta(n).data.at(-1)?.y }))
      .filter(({ text, y }) => text && Number.isFinite(y)).sort((a, b) => a.y - b.y);
    let below = area.top;
    for (const { text, y } of named) {
      const at = Math.max(y, below);
      haloed(ctx, theme, text, area.right + 6, at);
      below = at + 13;
    }
    ctx.restore();
  },
};
