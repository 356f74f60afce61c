// The shop's one style sheet.
extension Page {
    static let style = """
        :root { --paper: #f7f2e8; --card: #fffdf8; --ink: #2a2420; --faint: #75695e; --line: #e2d8c6; --edge: #8d7f6d; --wax: #a3262a;
          color-scheme: light dark; }
        @media (prefers-color-scheme: dark) {
          :root { --paper: #1d1a18; --card: #282421; --ink: #efe7da; --faint: #a99d8f; --line: #3d3731; --edge: #8a7d6f; --wax: #e8787a; } }
        * { box-sizing: border-box; }
        body { margin: 0; background: var(--paper); color: var(--ink); min-height: 100vh; display: flex; flex-direction: column;
          font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; }
        body > svg { position: absolute; }
        header, main, footer { width: 100%; max-width: 62rem; margin: 0 auto; padding: 1.25rem 1.5rem; }
        header { display: flex; align-items: baseline; justify-content: space-between; border-bottom: 1px solid var(--line); }
        main { flex: 1; padding-bottom: 3rem; }
        footer { color: var(--faint); font-size: .85rem; border-top: 1px solid var(--line); }
        h1, h2, .brand { font-family: "Iowan Old Style", Palatino, "Palatino Linotype", Georgia, "DejaVu Serif", serif; line-height: 1.2; }
        h1 { font-size: 2rem; font-weight: 500; margin: 1rem 0 1.25rem; }
        h2 { font-size: 1.2rem; font-weight: 600; margin: 0 0 .25rem; }
        a { color: var(--wax); text-underline-offset: .2em; }
        .brand { font-size: 1.5rem; letter-spacing: .04em; color: var(--ink); text-decoration: none; }
        nav { display: flex; gap: 1.5rem; }
        nav a { color: var(--ink); text-decoration: none; max-width: 14rem; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
        nav a:hover, .brand:hover { color: var(--wax); }
        nav b { margin-left: .4rem; padding: .05rem .5rem; border-radius: 1rem; background: var(--wax); color: var(--paper);
          font-size: .8rem; font-weight: 600; }
        .lead { color: var(--faint); max-width: 38rem; margin: -.75rem 0 2rem; }
        .error { max-width: 38rem; } .error p { margin: 0 0 1rem; }
        .note, small { color: var(--faint); font-size: .85rem; }
        .warning { border-left: 3px solid var(--wax); padding-left: .75rem; font-size: .9rem; }
        .shelf { list-style: none; margin: 0; padding: 0; display: grid; gap: 1.25rem; grid-template-columns: repeat(auto-fill, minmax(16rem, 1fr)); }
        .shelf li, .panel { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: 1.5rem; }
        .shelf li { display: flex; flex-direction: column; }
        .shelf p { margin: 0 0 1rem; color: var(--faint); }
        .shelf .seal { width: 7.5rem; align-self: center; margin: .25rem 0 1.25rem; }
        .shelf form { margin-top: auto; }
        .panel { margin-bottom: 1.25rem; max-width: 46rem; }
        .panels { display: grid; gap: 0 1.25rem; grid-template-columns: 1fr 1fr; align-items: start; }
        .panels .panel { max-width: none; } .panel > :last-child { margin-bottom: 0; } .wide { grid-column: 1 / -1; } .narrow { max-width: 28rem; }
        .seal { display: block; stroke-linejoin: round; stroke-linecap: round; filter: drop-shadow(0 2px 3px #0004); }
        .seal circle { fill: #0001; stroke: #0003; stroke-width: 2; }
        .seal > path { fill: none; stroke: #fff9; stroke-width: 3; }
        .vermilion { fill: #b02a2e; } .ink { fill: #2f4a80; } .moss { fill: #4c6b3c; } .gold { fill: #b58a2d; }
        .teal { fill: #23727a; } .plum { fill: #7a3a68; }
        label { display: block; font-size: .85rem; color: var(--faint); }
        input { display: block; width: 100%; margin: .25rem 0 .9rem; padding: .5rem .65rem; font: inherit; color: var(--ink);
          background: var(--paper); border: 1px solid var(--edge); border-radius: .35rem; }
        input::placeholder { color: var(--faint); opacity: 1; }
        button { font: inherit; font-weight: 500; padding: .5rem 1rem; border: 1px solid var(--wax); border-radius: .35rem;
          background: var(--wax); color: var(--paper); cursor: pointer; }
        button:hover { filter: brightness(1.08); }
        button.quiet { background: none; color: var(--wax); border-color: var(--edge); }
        :focus-visible { outline: 2px solid var(--wax); outline-offset: 2px; }
        .lines { list-style: none; margin: 1.5rem 0 0; padding: 0; }
        .lines li { display: grid; grid-template-columns: 3rem 1fr auto auto; gap: 1rem; align-items: center; padding: .75rem 0;
          border-bottom: 1px solid var(--line); }
        .lines div { min-width: 0; }
        .lines div span { display: block; color: var(--faint); font-size: .9rem; overflow-wrap: anywhere; }
        .price, .bytes, .total { font-variant-numeric: tabular-nums; }
        .total { text-align: right; }
        .bars { width: 100%; border-collapse: collapse; margin: .75rem 0; }
        .bars th { text-align: left; font-weight: 500; width: 19rem; padding: .4rem 1rem .4rem 0; }
        .bars small { display: block; font-weight: 400; line-height: 1.3; }
        .bars svg { display: block; width: 100%; height: 1.1rem; border-radius: .2rem; fill: var(--wax); }
        .bars .track { fill: var(--line); } .bars .more { opacity: .6; } .bars .less { opacity: .25; }
        .gauges svg { border-right: 3px solid var(--ink); border-radius: .2rem 0 0 .2rem; } .fields th { width: 6rem; }
        .bars .bytes { text-align: right; width: 4.5rem; padding-left: .75rem; }
        .bars .remark { text-align: right; width: 4rem; padding-left: .75rem; color: var(--faint); font-size: .85rem; font-variant-numeric: tabular-nums; }
        .bars .remark:empty { width: 0; padding: 0; }
        .bars .scale td { text-align: right; color: var(--faint); font-size: .85rem; padding-top: 0; padding-bottom: 0; line-height: 1.2; }
        .key { display: inline-block; width: .8em; height: .8em; margin-right: .4em; border-radius: .15em; background: var(--wax); vertical-align: -.05em; }
        .key.more { opacity: .6; } .key.less { opacity: .25; margin-left: 1.5em; }
        code { font: .9em ui-monospace, "Cascadia Mono", Menlo, "DejaVu Sans Mono", monospace; }
        dl { display: grid; grid-template-columns: max-content 1fr; gap: .3rem 1.5rem; margin: .75rem 0 0; }
        dt { color: var(--faint); } dd { margin: 0; }
        .row { display: flex; gap: 1rem; align-items: center; margin-top: .75rem; }
        .row button { flex: 0 0 auto; }
        .row span { color: var(--faint); font-size: .9rem; }
        @media (max-width: 44rem) {
          header, main, footer { padding-left: 1.1rem; padding-right: 1.1rem; } nav { gap: 1.1rem; } nav a { max-width: 8rem; }
          .panels { grid-template-columns: minmax(0, 1fr); } .panel { padding: 1.1rem; }
          .bars, .bars tbody { display: block; } .bars tr { display: grid; grid-template-columns: 1fr auto auto; padding: .4rem 0; }
          .bars th { width: auto; padding: 0 0 .25rem; } .bars td:nth-child(2) { grid-row: 2; grid-column: 1 / 4; }
          .bars .bytes, .bars .remark { width: auto; align-self: end; padding-bottom: .25rem; }
          .bars .scale { padding: 0; } .bars .scale td:first-child { display: none; } .bars .scale td:nth-child(2) { grid-row: 1; grid-column: 1; }
          .row { align-items: flex-start; flex-direction: column; gap: .4rem; }
          .lines li { grid-template-columns: 2.5rem 1fr auto; } .lines form { grid-column: 2 / 4; } }
        """
}
