/** The page's styles. Light and dark follow the system; on paper it is light, and what is folded up is open. */
export const style = `
:root{--paper:#fff;--card:#f6f7f9;--ink:#1b1f24;--soft:#59636e;--rule:#d5dae0;--c1:#1c6cc4;--c2:#bb4d08;--c3:#2c7a3f;--hit:28,108,196;--miss:214,96,20;color-scheme:light}
@media (prefers-color-scheme:dark){:root{--paper:#14171b;--card:#1d2127;--ink:#e8eaed;--soft:#a3adb8;--rule:#363d46;--c1:#6cb0ff;--c2:#ff9c5b;--c3:#74cf8a;--hit:74,146,236;--miss:230,120,50;color-scheme:dark}}
*{box-sizing:border-box}
html{scroll-behavior:smooth;-webkit-text-size-adjust:100%}
body{margin:0 auto;padding:1rem clamp(.8rem,3vw,2.5rem) 4rem;max-width:76rem;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif}
h1{font-size:1.6rem;line-height:1.2;margin:.6rem 0 .2rem;overflow-wrap:anywhere}
h2{font-size:1.25rem;margin:2.6rem 0 .6rem;padding-bottom:.25rem;border-bottom:2px solid var(--rule)}
h3{font-size:1rem;margin:1.4rem 0 .4rem;overflow-wrap:anywhere}
p{margin:.4rem 0 .8rem;max-width:60rem}
header p,.note,figcaption small,.soft{color:var(--soft)}
a{color:var(--c1)}
a:focus-visible,summary:focus-visible,[tabindex]:focus-visible{outline:3px solid var(--c1);outline-offset:2px;border-radius:3px}
.skip{position:absolute;left:-99rem}
.skip:focus{left:1rem;top:.5rem;background:var(--paper);padding:.3rem .6rem}
.tiles{display:grid;grid-template-columns:repeat(auto-fill,minmax(9.5rem,1fr));gap:.6rem;margin:1rem 0}
.tiles div{background:var(--card);border:1px solid var(--rule);border-radius:.5rem;padding:.5rem .75rem}
.tiles dt{color:var(--soft);font-size:.85rem}
.tiles dd{margin:0;font-size:1.25rem;font-weight:600;font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
nav ul{display:flex;flex-wrap:wrap;gap:.2rem 1.1rem;list-style:none;margin:.5rem 0;padding:0}
nav a{display:inline-block;padding:.25rem 0}
figure{margin:0}
.charts{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,22rem),1fr));gap:1rem}
.chart{background:var(--card);border:1px solid var(--rule);border-radius:.5rem;padding:.6rem .7rem}
.chart figcaption{display:flex;flex-wrap:wrap;justify-content:space-between;gap:.1rem 1rem;font-weight:600;margin-bottom:.3rem}
.chart svg{display:block;width:100%;height:auto}
svg text{font-size:13px;fill:var(--soft);font-family:inherit;font-variant-numeric:tabular-nums}
svg path,.line{fill:none}
.grid{stroke:var(--rule)}
.axis{stroke:var(--soft)}
.line{stroke-width:2.2;stroke-linejoin:round}
.line.thin{stroke-width:1;opacity:.65}
.line.c1,.points.c1,.key.c1::before{stroke:var(--c1);background:var(--c1)}
.line.c2,.key.c2::before{stroke:var(--c2);background:var(--c2)}
.line.c3,.key.c3::before{stroke:var(--c3);background:var(--c3)}
circle.c1,svg .fill.c1{fill:var(--c1)}
circle.c2,svg .fill.c2{fill:var(--c2)}
circle.c3,svg .fill.c3{fill:var(--c3)}
.points{stroke-width:4;stroke-linecap:round;opacity:.45}
.legend{display:flex;flex-wrap:wrap;gap:0 .9rem;font-weight:400;font-size:.85rem}
.key::before{content:"";display:inline-block;width:1.1em;height:.22em;margin-right:.35em;vertical-align:middle}
.key.thin::before{height:1px}
.scroll{overflow-x:auto;max-width:100%;margin:.6rem 0 1rem}
table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:.92rem}
th,td{padding:.2rem .7rem;text-align:left;white-space:nowrap}
thead th,thead td{border-bottom:2px solid var(--rule);vertical-align:bottom}
tbody th{font-weight:500}
tbody tr:nth-child(even){background:var(--card)}
.n{text-align:right}
.matrix td{text-align:center;padding:.2rem .45rem;min-width:2.3rem}
.matrix tbody tr{background:none}
.matrix th{max-width:12rem;overflow:hidden;text-overflow:ellipsis}
.matrix thead th{text-align:center}
.tall thead th+th{writing-mode:vertical-rl;max-width:none;max-height:12rem;text-align:left;white-space:nowrap;padding:.3rem .1rem}
.tall td{min-width:1.9rem;padding:.2rem}
${Array.from({ length: 10 }, (_, k) => `.t${k + 1}{background:rgba(var(--hit),${(0.06 * (k + 1)).toFixed(2)})}.f${k + 1}{background:rgba(var(--miss),${(0.06 * (k + 1)).toFixed(2)})}`).join('\n')}
.beside{display:flex;flex-wrap:wrap;gap:0 3rem;align-items:flex-start}
.beside>div{max-width:100%}
.cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,9.5rem),1fr));gap:.8rem;margin:.6rem 0}
.card{background:var(--card);border:1px solid var(--rule);border-radius:.5rem;padding:.6rem;min-width:0;font-size:.9rem;overflow-wrap:anywhere}
.card figcaption{margin-top:.35rem}
.wide{grid-template-columns:repeat(auto-fill,minmax(min(100%,17rem),1fr))}
img{display:block;max-width:100%;height:auto;background:var(--rule)}
.px{image-rendering:pixelated}
.maps{display:grid;gap:.9rem 1.2rem;grid-template-columns:repeat(auto-fill,minmax(min(100%,22rem),1fr));align-items:start;margin:.6rem 0 1.2rem;padding:0;list-style:none}
.maps figcaption{margin-bottom:.25rem;overflow-wrap:anywhere}
.maps small,.card small{display:block;color:var(--soft)}
.card img+small{margin-top:.4rem}
.top{list-style:none;margin:.3rem 0 0;padding:0;font-size:.85rem}
.top li{display:grid;grid-template-columns:1fr auto;gap:0 .5rem}
.top svg{grid-column:1/3;width:100%;height:5px;margin-bottom:.15rem}
.top rect{fill:var(--c2)}
.top .yes rect{fill:var(--c1)}
.bars{display:block;width:100%;height:3.2rem;margin:.25rem 0}
.bars .axis{stroke-width:1}
.ends{display:flex;justify-content:space-between;font-size:.78rem;color:var(--soft);font-variant-numeric:tabular-nums}
details{margin:.6rem 0 1rem}
summary{cursor:pointer;padding:.25rem 0;color:var(--c1)}
pre{overflow-x:auto;background:var(--card);border:1px solid var(--rule);border-radius:.5rem;padding:.7rem;font-size:.82rem}
code{overflow-wrap:anywhere}
dl.facts{display:grid;grid-template-columns:minmax(8rem,max-content) 1fr;gap:.25rem 1rem;margin:.6rem 0}
dl.facts dt{color:var(--soft)}
dl.facts dd{margin:0;overflow-wrap:anywhere;min-width:0}
.graph td,.graph tbody th{height:28px;padding-top:0;padding-bottom:0}
.graph td,.graph th{padding-left:.5rem;padding-right:.5rem}
.graph .lanes{padding:0 .5rem 0 .2rem}
.graph .lanes svg{display:block}
.graph .lanes path{stroke:var(--soft);stroke-width:1.6}
.graph .lanes circle{fill:var(--c1);stroke:var(--paper);stroke-width:1.5}
.share{display:inline-block;width:4rem;height:.6rem;margin-left:.5rem;vertical-align:baseline}
.share rect{fill:var(--c1)}
@media (max-width:34rem){body{font-size:15px}dl.facts{grid-template-columns:1fr;gap:0}dl.facts dd{margin-bottom:.5rem}.tiles{grid-template-columns:1fr 1fr}th,td{padding:.2rem .45rem}}
@media (prefers-reduced-motion:reduce){html{scroll-behavior:auto}}
@media print{
:root{--paper:#fff;--card:#fff;--ink:#000;--soft:#444;--rule:#bbb;--c1:#1c6cc4;--c2:#bb4d08;--c3:#2c7a3f;--hit:28,108,196;--miss:214,96,20;color-scheme:light}
*{-webkit-print-color-adjust:exact;print-color-adjust:exact}
html{font-size:11px}
body{max-width:none;padding:0;font-size:11px}
.charts,.maps,.wide{grid-template-columns:1fr 1fr 1fr}
.charts{grid-template-columns:1fr 1fr}
.cards:not(.wide){grid-template-columns:repeat(6,1fr)}
nav,.skip{display:none}
h2,h3,.note,summary{break-after:avoid}
figure,.card,.tiles div,tr,.maps li{break-inside:avoid}
.scroll{overflow:visible}
details>summary{list-style:none;color:var(--soft)}
details::details-content{content-visibility:visible;height:auto;display:block}
th,td{padding:.1rem .3rem;white-space:normal}
.matrix{font-size:8.5px}
.matrix td{min-width:0;padding:.1rem}
.tiles dd{font-size:1.1rem}
.graph{font-size:8.5px}
.graph td,.graph th{white-space:normal;padding:0 .25rem}
.graph .lanes svg{height:24px}
.raw{display:none}
}
`
