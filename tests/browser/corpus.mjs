// Ways in which text has become markup, a script or a request elsewhere. Here each must stay text.

/** All of them fit one message of a visitor. */
export const MARKUP = [
  "<img src=x onerror=alert(1)>", "<script>alert(2)</script>", "<svg onload=alert(3)>", "<svg><script>alert(4)</script></svg>", "<iframe src=javascript:alert(5)>",
  "<body onload=alert(6)>", "<a href=javascript:alert(7)>x</a>", "[x](javascript:alert(8))", "![x](x onerror=alert(9))", "<math><mi xlink:href='data:x,<script>alert(10)</script>'>",
  "<details open ontoggle=alert(11)>", "<input autofocus onfocus=alert(12)>", "<video><source onerror=alert(13)></video>", "<object data=javascript:alert(14)>", "<embed src=javascript:alert(15)>",
  "<style>@import'//evil.example/x'</style>", "<base href=//evil.example/>", "<meta http-equiv=refresh content=0;url=//evil.example>", "<link rel=stylesheet href=//evil.example/x>", "<p id=pwned>",
  "\"><img src=x onerror=alert(16)>", "'-alert(17)-'", "${alert(18)}", "{{constructor.constructor('alert(19)')()}}", "&lt;script&gt;alert(20)&lt;/script&gt;", "%3Cscript%3Ealert(21)%3C/script%3E",
  "\u003cimg src=x onerror=alert(22)\u003e", "<scr<script>ipt>alert(23)</scr</script>ipt>", "<!--><img src=x onerror=alert(24)>-->", "]]><script>alert(25)</script>", "<noscript><p title='</noscript><img src=x onerror=alert(26)>'>",
  "<template><img src=x onerror=alert(27)></template>", "<marquee onstart=alert(28)>", "<audio src=x onerror=alert(29)>", "<form><button formaction=javascript:alert(30)>", "javascript:alert(31)", "<img/src/onerror=alert(32)>",
];

/** Short ones, of every kind, for what has room for one alone. */
export const EVIL = [
  "<img src=x onerror=alert(1)>", "<script>alert(2)</script>", "\"><svg onload=alert(3)>", "<b id=pwned>bold</b>", "<style>*{display:none}</style>",
  "<a href=javascript:alert(4)>x</a>", "[x](javascript:alert(5))", "{{constructor.constructor('alert(6)')()}}", "${alert(7)}", "</title><script>alert(8)</script>",
  "<iframe srcdoc='<script>alert(9)</script>'></iframe>", "' onmouseover='alert(10)", "<base href=//evil.example/>", "<meta http-equiv=refresh content=0;url=//evil.example>", "javascript:alert(11)", "\u202eevil\u202c",
];

/** Every one of them, and what is rarer: other cases and gaps, entities, forms, namespaces, directions, lone halves, templates. */
export const CORPUS = [...new Set([...MARKUP, ...EVIL,
  "<IMG SRC=x OnErRoR=alert(40)>", "<img src = x onerror = alert(41)>", "<svg/onload=alert(42)//", "<img src=`x`onerror=alert(43)>", "&#60;img src=x onerror=alert(44)&#62;", "<button form=f formaction=javascript:alert(45)>x</button>",
  "<math href=javascript:alert(46)>x</math>", "<animate onbegin=alert(47) attributeName=x>", "<select autofocus onfocus=alert(48)>", "<textarea autofocus onfocus=alert(49)>", "<frameset onload=alert(50)>", "<plaintext>", "<xmp><p title=\"</xmp><img src=x onerror=alert(51)>\">",
  "\u202e\u2066<script>alert(52)</script>\u2069", "data:text/html,<script>alert(53)</script>", "vbscript:alert(54)", "#{alert(55)}", "<%= alert(56) %>", "{{{alert(57)}}}", "|| alert(58) ||", "'; alert(59); //", "<!doctype html><html onclick=alert(60)>"])];
