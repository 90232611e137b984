/* What a page owes its readers, asked of the page in a browser. The page is in a frame as wide as the screen that is
 * meant, and gives its answer to the page around it. */
(function () {
    var problems = window.problems;
    function say(text) { if (problems.length < 40) problems.push(text); }
    function channel(part) {
        part /= 255;
        return part <= 0.03928 ? part / 12.92 : Math.pow((part + 0.055) / 1.055, 2.4);
    }
    /* WCAG 2.1, "relative luminance". */
    function luminance(colour) { return 0.2126 * channel(colour[0]) + 0.7152 * channel(colour[1]) + 0.0722 * channel(colour[2]); }
    function parse(text) { return (text.match(/[\d.]+/g) || []).map(Number); }
    function background(node) {
        for (; node; node = node.parentElement) {
            var colour = parse(getComputedStyle(node).backgroundColor);
            if (colour.length === 3 || colour[3] === 1) return colour;
        }
        return [255, 255, 255];
    }
    function checkContrast() {
        var seen = {};
        for (var node of document.body.querySelectorAll('*')) {
            var own = Array.from(node.childNodes).some(function (child) { return child.nodeType === 3 && child.data.trim(); });
            if (!own || node.closest('svg,script,style,.skip') || !node.getClientRects().length) continue;
            var a = luminance(parse(getComputedStyle(node).color)), b = luminance(background(node));
            var ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
            if (ratio < 4.5 && !seen[node.className]) say('contrast ' + ratio.toFixed(2) + ': ' + node.tagName + ' ' + node.textContent.slice(0, 30));
            seen[node.className] = ratio < 4.5;
        }
    }
    function checkAnchors() {
        var ids = new Set();
        for (var node of document.querySelectorAll('[id]')) {
            if (ids.has(node.id)) say('id twice: ' + node.id);
            ids.add(node.id);
        }
        for (var link of document.querySelectorAll('a[href^="#"]'))
            if (!ids.has(link.getAttribute('href').slice(1))) say('broken anchor: ' + link.getAttribute('href'));
        for (var use of document.querySelectorAll('svg use'))
            if (!ids.has(use.getAttribute('href').slice(1))) say('broken use: ' + use.getAttribute('href'));
    }
    function checkStructure() {
        var level = 0;
        for (var heading of document.querySelectorAll('h1,h2,h3,h4,h5,h6')) {
            var here = Number(heading.tagName[1]);
            if (here > level + 1) say('heading level skipped: ' + heading.textContent);
            level = here;
        }
        for (var svg of document.querySelectorAll('svg')) if (!svg.getAttribute('aria-label')) say('picture without a text');
        for (var table of document.querySelectorAll('table')) if (!table.querySelector('th[scope=col]')) say('table without heads');
        for (var script of document.querySelectorAll('[onload],[onclick],[onerror],iframe,object,embed,foreignObject'))
            say('active content: ' + script.tagName);
        if (document.querySelectorAll('script').length !== window.expectedScripts) say('scripts: ' + document.querySelectorAll('script').length);
    }
    function checkControls() {
        if (!window.expectControls) return;
        var section = document.querySelector('section .tools');
        if (!section) return say('no controls');
        var selects = section.querySelectorAll('select'), body = section.parentNode.querySelector('tbody');
        var before = body.textContent;
        selects[1].selectedIndex = (selects[1].selectedIndex + 1) % selects[1].options.length;
        selects[1].dispatchEvent(new Event('change'));
        if (body.textContent === before || !body.rows.length) say('another base changes nothing');
        var head = section.parentNode.querySelector('thead button:nth-child(1)'), ratio = section.parentNode.querySelectorAll('thead button')[2];
        ratio.click();
        var values = Array.from(body.rows).map(function (row) { return row.cells[2].dataset.v; }).filter(Boolean).map(Number);
        for (var i = 1; i < values.length; i++) if (values[i - 1] > values[i]) { say('not sorted'); break; }
        if (!head) say('heads are no buttons');
    }
    /* The headings' ids that the links of a section lead to: from its heading to the next one that is no deeper. */
    function linksOf(id) {
        var heading = document.getElementById(id), targets = [];
        if (!heading || !/^H\d$/.test(heading.tagName)) return targets;
        for (var node = heading.nextElementSibling; node; node = node.nextElementSibling) {
            if (/^H\d$/.test(node.tagName) && node.tagName <= heading.tagName) break;
            for (var link of node.querySelectorAll('a[href^="#"]')) targets.push(link.getAttribute('href').slice(1));
        }
        return targets;
    }
    /* Two links lead from the contents to each picture's heading, or to the part in which it stands. */
    function checkReach() {
        var near = new Set(Array.from(document.querySelectorAll('nav a[href^="#"]')).map(function (link) { return link.getAttribute('href').slice(1); }));
        for (var id of Array.from(near)) for (var target of linksOf(id)) near.add(target);
        for (var figure of document.querySelectorAll('figure')) {
            var heading = figure.previousElementSibling;
            while (heading && !/^H\d$/.test(heading.tagName)) heading = heading.previousElementSibling;
            if (!heading || !near.has(heading.id)) say('no two links lead to the picture ' + (heading ? heading.id : '?'));
        }
    }
    var root = document.documentElement;
    if (root.scrollWidth > window.innerWidth) {
        say('overflow: ' + root.scrollWidth + ' of ' + window.innerWidth);
    }
    if (window.innerWidth !== window.expectedWidth) say('the window has ' + window.innerWidth + ' pixels');
    checkAnchors();
    checkStructure();
    checkContrast();
    checkControls();
    checkReach();
    parent.postMessage(problems.length ? 'PROBLEMS: ' + problems.join(' | ') : 'FINE', '*');
})();
