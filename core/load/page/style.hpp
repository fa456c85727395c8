// How a page looks, by day and by night.
#pragma once

#include <string_view>

namespace aictl::load {

inline constexpr std::string_view kPageStyle = R"css(
:root{--bg:#f7f8fa;--card:#fff;--text:#1c2430;--dim:#647084;--grid:#e4e8ee;--ok:#1a7f4b;--bad:#c02b34;--warn:#9a6700;
--c0:#2563eb;--c1:#e07a1f;--c2:#15935f;--c3:#a13fb5}
@media(prefers-color-scheme:dark){:root{--bg:#12161c;--card:#1a2029;--text:#e3e8ef;--dim:#93a0b4;--grid:#2b3442;
--ok:#4fc98a;--bad:#ff7b81;--warn:#e3b341;--c0:#6ea8ff;--c1:#ffab5e;--c2:#52d29c;--c3:#d58be6}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--text);font:15px/1.5 system-ui,sans-serif}
main{max-width:1180px;margin:0 auto;padding:28px 20px 60px}
h1{font-size:24px;margin:0 0 2px}h2{font-size:16px;margin:0 0 10px}
p.sub{margin:0 0 20px;color:var(--dim)}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:12px;margin-bottom:16px}
.card,section{background:var(--card);border:1px solid var(--grid);border-radius:10px;padding:14px 16px}
.card b{display:block;font-size:22px;font-variant-numeric:tabular-nums}
.card span{color:var(--dim);font-size:13px}
.plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,440px),1fr));gap:16px}
section{margin-bottom:16px;overflow-x:auto}.plots section{margin:0}
.plots+section,.plots+.plots{margin-top:16px}
svg{width:100%;height:auto;display:block}
.grid{stroke:var(--grid);stroke-width:1}.tick,.axis,.legend{fill:var(--dim);font-size:11px}
.legend{font-size:12px;fill:var(--text)}
.line{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}
.s0{stroke:var(--c0)}.s1{stroke:var(--c1)}.s2{stroke:var(--c2)}.s3{stroke:var(--c3)}
.bar{fill:var(--c0);opacity:.85}
table{border-collapse:collapse;width:100%;font-size:14px;font-variant-numeric:tabular-nums}
th,td{padding:5px 10px;border-bottom:1px solid var(--grid);text-align:right;vertical-align:top}
th{color:var(--dim);font-weight:600}th:first-child,td:first-child,td.text,th.text{text-align:left}
td.text{overflow-wrap:anywhere}
.ok{color:var(--ok)}.bad{color:var(--bad)}.warn{color:var(--warn)}
)css";

}  // namespace aictl::load
