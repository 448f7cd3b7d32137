/// The report's style: light, dark where the reader's system is, light again on paper.
enum PageStyle {
    /// The page's, with its plots'.
    static let css = [colours, page, plots].joined(separator: "\n")

    /// A plot's that stands alone.
    static let picture = [colours, plots, "svg { font-family: \(fonts); }"].joined(separator: "\n")

    private static let fonts = #"system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif"#

    private static let colours = """
        :root { --paper: #ffffff; --ink: #1b1f24; --soft: #5b6470; --grid: #e3e6ea;
          --remap: #c0392b; --verified: #b9770e; --unbatched: #7d3c98; --persist: #0b6e4f; --resume: #1f5fbf;
          --drain: #9aa3ad; --suspend: #5dade2; --base: #85c1e9; --unmap: #e67e22; --reset: #8e44ad;
          --negotiate: #bb8fce; --map: #c0392b; --vring: #45b39d; --enable: #1e8449; }
        @media screen and (prefers-color-scheme: dark) { :root { --paper: #14171b; --ink: #e8eaed; --soft: #a2abb6;
          --grid: #2c3138; --remap: #ff7b6b; --verified: #f2b25c; --unbatched: #c79be0; --persist: #4fd1a5;
          --resume: #7fb2ff; --drain: #6c7682; --map: #e0584a; --reset: #a569bd; --enable: #2ea05f; } }
        """

    private static let page = """
        * { box-sizing: border-box; }
        body { margin: 0; background: var(--paper); color: var(--ink);
          font: 16px/1.5 \(fonts); }
        main { max-width: 60rem; margin: 0 auto; padding: 2.5rem 1.25rem 4rem; }
        h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .5rem; text-wrap: balance; }
        h2 { font-size: 1.2rem; margin: 2.5rem 0 .5rem; }
        .lead { color: var(--soft); margin: 0 0 1.5rem; }
        .small { color: var(--soft); font-size: .85rem; }
        a { color: var(--resume); }
        figure { margin: 0; break-inside: avoid; }
        figcaption { color: var(--soft); font-size: .85rem; margin-top: .25rem; }
        svg { width: 100%; height: auto; display: block; }
        .wide { overflow-x: auto; }
        table { border-collapse: collapse; font-size: .85rem; font-variant-numeric: tabular-nums; width: 100%; }
        th, td { padding: .3rem .4rem; text-align: right; border-bottom: 1px solid var(--grid); white-space: nowrap; }
        th { color: var(--soft); font-weight: 600; } th:nth-child(2), td:nth-child(2) { text-align: left; }
        .numbers th:nth-child(2), .numbers td:nth-child(2) { text-align: right; }
        .remarks { border-left: 3px solid var(--remap); margin: 0 0 1.5rem; padding: .25rem 0 .25rem 1.5rem; }
        pre { font-size: .85rem; white-space: pre-wrap; overflow-wrap: anywhere; margin: .5rem 0; }
        @page { size: A4; margin: 14mm; }
        @media print { body { font-size: 11pt; } main { max-width: none; padding: 0; } h2 { break-after: avoid; }
          a { color: inherit; } .wide { overflow: visible; } tr { break-inside: avoid; }
          table { font-size: 7.5pt; } th, td { padding: .2rem .25rem; white-space: normal; } }
        """

    private static let plots = """
        svg { font-size: 13px; font-variant-numeric: tabular-nums; }
        svg .grid { stroke: var(--grid); } svg .mark { stroke: var(--soft); }
        svg text { fill: var(--ink); } svg .tick, svg .value { fill: var(--soft); }
        svg .end { text-anchor: end; } svg .middle { text-anchor: middle; }
        svg polyline { fill: none; stroke: var(--c); stroke-width: 2.5; stroke-linejoin: round; }
        svg circle { fill: var(--c); stroke: var(--paper); stroke-width: 1.5; }
        svg .whisker { stroke: var(--c); stroke-width: 1.5; opacity: .45; }
        svg .span { stroke: var(--c); stroke-width: 2.5; }
        svg .ticks { stroke: var(--c); stroke-width: 1.5; opacity: .5; fill: none; }
        svg text[class*="s-"] { fill: var(--c); font-weight: 600; }
        svg text[class*="s-"] .value { font-weight: 400; }
        svg text.inside { paint-order: stroke; stroke: var(--paper); stroke-width: 4px; stroke-linejoin: round; }
        .s-remap { --c: var(--remap); } .s-remap-verified { --c: var(--verified); }
        .s-remap-unbatched { --c: var(--unbatched); } .s-persist { --c: var(--persist); }
        .s-resume { --c: var(--resume); }
        .p-drain { fill: var(--drain); } .p-suspend { fill: var(--suspend); } .p-baseRead { fill: var(--base); }
        .p-unmap { fill: var(--unmap); } .p-reset { fill: var(--reset); } .p-negotiate { fill: var(--negotiate); }
        .p-map { fill: var(--map); } .p-vringSetup { fill: var(--vring); } .p-enable { fill: var(--enable); }
        """
}
