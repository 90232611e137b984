'use strict';
(function () {
    function make(tag, text, parent) {
        var node = document.createElement(tag);
        node.textContent = text;
        if (parent) parent.appendChild(node);
        return node;
    }
    function value(cell) {
        var number = cell.dataset.v;
        return number === undefined ? cell.textContent.toLowerCase() : Number(number);
    }
    /* Sorts the rows of each body of a table by a column. Text goes behind numbers. */
    function sort(table, column, down) {
        for (var body of table.tBodies) {
            var rows = Array.from(body.rows);
            rows.sort(function (a, b) {
                var x = value(a.cells[column]), y = value(b.cells[column]);
                if (typeof x !== typeof y) return typeof x === 'number' ? -1 : 1;
                return (x < y ? -1 : x > y ? 1 : 0) * (down ? -1 : 1);
            });
            rows.forEach(function (row) { body.appendChild(row); });
        }
    }
    function makeSortable(table) {
        Array.from(table.tHead.rows[0].cells).forEach(function (head, column) {
            var button = make('button', head.textContent);
            button.type = 'button';
            head.textContent = '';
            head.appendChild(button);
            button.addEventListener('click', function () {
                var down = head.getAttribute('aria-sort') === 'ascending';
                Array.from(table.tHead.rows[0].cells).forEach(function (other) { other.removeAttribute('aria-sort'); });
                head.setAttribute('aria-sort', down ? 'descending' : 'ascending');
                sort(table, column, down);
            });
        });
    }
    function addControl(tools, title, tag) {
        var label = make('label', title, tools);
        return make(tag, '', label);
    }
    function addFilter(table, tools) {
        var input = addControl(tools, 'Only rows with', 'input');
        input.type = 'search';
        input.addEventListener('input', function () {
            var words = input.value.toLowerCase().split(/\s+/);
            for (var body of table.tBodies)
                for (var row of body.rows) {
                    var text = row.textContent.toLowerCase();
                    row.hidden = !words.every(function (word) { return text.includes(word); });
                }
        });
    }
    function choices(select, words, chosen) {
        words.forEach(function (word) {
            var option = make('option', word, select);
            option.selected = word === chosen;
        });
    }
    /* The comparison of a run with any base, any metric, any arm; numbers are heapmill's own. */
    function explore(run, place) {
        var section = make('section', ''), tools = make('div', '', section);
        var box = make('div', '', section), table = make('table', '', box);
        section.setAttribute('aria-label', 'Comparison with a base of your choice');
        tools.className = 'tools';
        box.className = 'scroll';
        box.tabIndex = 0;
        var metric = addControl(tools, 'Metric', 'select'), base = addControl(tools, 'Base', 'select');
        var arm = addControl(tools, 'Arm', 'select');
        choices(metric, Object.keys(run.metrics));
        choices(base, run.labels, run.base);
        choices(arm, ['all'].concat(Array.from(new Set(run.labels.map(function (label) { return label.split(':').pop(); })))));
        var head = make('tr', '', table.createTHead());
        ['workload', 'back end', 'ratio', 'low', 'high', 'verdict'].forEach(function (title, i) {
            var cell = make('th', title, head);
            cell.scope = 'col';
            if (i > 1 && i < 5) cell.className = 'n';
        });
        var body = table.createTBody();
        function fill() {
            body.textContent = '';
            (run.metrics[metric.value][base.value] || []).forEach(function (row) {
                var label = run.labels[row[1]];
                if (arm.value !== 'all' && label.split(':').pop() !== arm.value) return;
                var line = make('tr', '', body), first = make('th', run.groups[row[0]], line);
                first.scope = 'row';
                make('td', label, line);
                for (var i = 2; i < 5; i++) {
                    var cell = make('td', row[i] === null ? '' : row[i].toFixed(3), line);
                    cell.className = 'n';
                    if (row[i] !== null) cell.dataset.v = row[i];
                }
                make('td', run.words[row[5]], line);
            });
        }
        [metric, base, arm].forEach(function (select) { select.addEventListener('change', fill); });
        fill();
        makeSortable(table);
        addFilter(table, tools);
        place.after(section);
    }
    for (var table of document.querySelectorAll('table')) {
        makeSortable(table);
        if (table.rows.length > 10) {
            var tools = document.createElement('div');
            tools.className = 'tools';
            addFilter(table, tools);
            table.parentNode.before(tools);
        }
    }
    var data = document.getElementById('data');
    if (data) {
        var runs = JSON.parse(data.textContent);
        Object.keys(runs).forEach(function (anchor) {
            var place = document.getElementById(anchor);
            if (place) explore(runs[anchor], place);
        });
    }
    /* A link into what is folded opens it; a page that is printed has everything open. */
    function open() {
        var target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
        for (var node = target; node; node = node.parentElement) if (node.tagName === 'DETAILS') node.open = true;
    }
    window.addEventListener('hashchange', open);
    open();
})();
