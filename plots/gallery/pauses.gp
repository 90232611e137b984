# pauses: the figure "pauses" of heapmill 0.1.0. `gnuplot pauses.gp` draws it again from pauses.tsv;
# restyle freely, nothing has to be measured for that.
if (!exists("target")) target = 'pauses'
if (!exists("formats")) formats = 'svg png'
data = 'pauses.tsv'

# The canvas and the drawing's box in it, in pixels from the top left.
width = 1461
height = 1277
box_left = 16
box_top = 59
box_width = 1429
box_height = 1146
title_text = 'How long collectors stop the program'
head_line_count = 1
array head_line[1] = ['Lower is better. CPU time of each pause, all rounds together; the last point of a curve is its longest pause.']
foot_line_count = 4
array foot_line[4] = ['Base cpython-objects:own. Arms: inline, own (mixed: each row names its own). Paired rounds: 2. Noise floor unknown (too few A/A rounds of this metric): no verdicts. No filter: everything that was measured is shown.', 'Host vm: Intel(R) Xeon(R) Processor, 2 cores, kernel 6.18.44-fc-v657, huge pages madvise, libc 2.36. heapmill 0.1.0, run of 2026-11-29T13:01:27Z.', 'Measured by: heapmill bench -b pymalloc-3.10:inline,cpython-objects --base cpython-objects -w cyclic_graph,append_then_drop,live_heap_growth -p ''collector=*'' -p append_then_drop.n=1e6 -p live_heap_growth.live=1e4,1e5,1e6 --budget 110s --target-ms 50', '--no-memory -o run']
noise_floor = NaN

# The rows: a colour and marker for each back end, a dash for each arm.
row_label_count = 10
array row_label[10] = ['pymalloc-3.10{collector=generational-2000}:inline', 'pymalloc-3.10{collector=generational-700-no25}:inline', 'pymalloc-3.10{collector=generational-700}:inline', 'pymalloc-3.10{collector=growth}:inline', 'pymalloc-3.10{collector=incremental}:inline', 'pymalloc-3.10{collector=none}:inline', 'pymalloc-3.10{collector=snapshot}:inline', 'pymalloc-3.10{collector=trial-deletion-orc}:inline', 'pymalloc-3.10{collector=trial-deletion-php}:inline', 'cpython-objects:own']
row_color_count = 10
array row_color[10] = [0x72b3fe, 0x215aca, 0x050398, 0x255f4d, 0xeb8d2b, 0x91958b, 0xa32904, 0xf777c8, 0x8ed09e, 0x927a00]
row_marker_count = 10
array row_marker[10] = [4, 13, 5, 9, 11, 1, 12, 10, 8, 7]
row_dash_count = 10
array row_dash[10] = ['(4,2)', '(4,2)', '(4,2)', '(4,2)', '(4,2)', '(4,2)', '(4,2)', '(4,2)', '(4,2)', '(4,2)']

# The figure's own.
panel_title_count = 5
array panel_title[5] = ['append_then_drop', 'cyclic_graph', 'live_heap_growth live=10000', 'live_heap_growth live=100000', 'live_heap_growth live=1000000']
panel_x_label_count = 5
array panel_x_label[5] = ['percentile of the pauses', 'percentile of the pauses', 'percentile of the pauses', 'percentile of the pauses', 'percentile of the pauses']
panel_y_label_count = 5
array panel_y_label[5] = ['CPU time of a pause', 'CPU time of a pause', 'CPU time of a pause', 'CPU time of a pause', 'CPU time of a pause']
panel_x_low_count = 5
array panel_x_low[5] = [0.516056357, 0.570851097, 0.668153182, 0.580667965, 0.505617673]
panel_x_high_count = 5
array panel_x_high[5] = [119254.418, 20148.8645, 1296.11692, 14875.9721, 170868.236]
panel_y_low_count = 5
array panel_y_low[5] = [183.615931, 181.354133, 247.055962, 215.766905, 166.316715]
panel_y_high_count = 5
array panel_y_high[5] = [203323858, 76607613.8, 596851.109, 11754549.7, 287449913]
panel_log_x_count = 5
array panel_log_x[5] = [1, 1, 1, 1, 1]
panel_log_y_count = 5
array panel_log_y[5] = [1, 1, 1, 1, 1]
panel_steps_count = 5
array panel_steps[5] = [0, 0, 0, 0, 0]
panel_percentiles_count = 5
array panel_percentiles[5] = [1, 1, 1, 1, 1]
panel_first_count = 5
array panel_first[5] = [1, 10, 19, 28, 37]
panel_last_count = 5
array panel_last[5] = [9, 18, 27, 36, 45]
curve_row_count = 45
array curve_row[45] = [1, 2, 3, 4, 5, 7, 8, 9, 10, 1, 2, 3, 4, 5, 7, 8, 9, 10, 1, 2, 3, 4, 5, 7, 8, 9, 10, 1, 2, 3, 4, 5, 7, 8, 9, 10, 1, 2, 3, 4, 5, 7, 8, 9, 10]
curve_every_count = 45
array curve_every[45] = [9, 12, 13, 1, 8, 14, 17, 18, 15, 5, 8, 8, 2, 8, 15, 12, 11, 10, 1, 3, 3, 1, 2, 7, 7, 5, 3, 4, 6, 7, 1, 7, 17, 12, 10, 6, 13, 16, 18, 2, 17, 29, 21, 23, 18]
across = 2
axis_width = 66
panel_width = 430
panel_height = 300
panel_head = 34
panel_foot = 48
legend_gap = 26
legend_line = 19

# What every figure of heapmill shares.
png_scale = 1.5
font_face = 'sans-serif'
plain = font_face.',11'
bold = font_face.':Bold,11'
small = font_face.',10'
small_bold = font_face.':Bold,10'
tiny = font_face.',9'
ink = '#222222'
muted = '#666666'
faint = '#dddddd'
alarm = '#b2182b'
# Pixels from the top left, as fractions of the canvas from the bottom left.
sx(x) = 1.0 * x / width
sy(y) = 1.0 - 1.0 * y / height
# pngcairo's font sizes are points at 96 dpi, svg's are pixels: 0.75 makes them equal. noenhanced: in names
# underscores, braces and the like are themselves.
terminal_svg = "set terminal svg noenhanced size width,height fixed font plain background '#ffffff'"
terminal_png = "set terminal pngcairo noenhanced size width*png_scale,height*png_scale fontscale png_scale*0.75 linewidth png_scale pointscale png_scale font plain background '#ffffff'"
picture_terminal(format) = format eq 'svg' ? terminal_svg : terminal_png
# gnuplot has no viridis; heat maps diverge, and blue against red is told apart with every common colour blindness.
diverging = "set palette defined (-1 '#2166ac', -0.6 '#67a9cf', -0.2 '#d1e5f0', 0 '#f7f7f7', 0.2 '#fddbc7', 0.6 '#ef8a62', 1 '#b2182b')"
common = "reset; set encoding utf8; set datafile separator \"\\t\"; set border lc rgb muted; set tics textcolor rgb ink; set bars small; unset key"
# A row's name left of x, its marker at x; the marker is a label of its own, so that both are centred on y.
row_name(i, x, font) = sprintf("set label %d row_label[%d] at screen sx(%d), first %d right font %s textcolor rgb ink; set label %d '' at screen sx(%d), first %d point pointtype row_marker[%d] pointsize 0.8 linecolor rgb row_color[%d]", 3000+i, i, x-12, i, font, 4000+i, x-2, i, i, i)
frame = "set label 1 title_text at screen sx(box_left),sy(24) font font_face.':Bold,16' textcolor rgb ink; do for [i=1:head_line_count] { set label 1+i head_line[i] at screen sx(box_left),sy(28+17*i) font plain textcolor rgb muted }; do for [i=1:foot_line_count] { set label 100+i foot_line[i] at screen sx(box_left),sy(height-14*(foot_line_count-i)-10) font small textcolor rgb muted }"

# Panels of curves: a row has its colour, marker and dash in each of them, and its name in the legend.
panel_left(p) = box_left + axis_width + ((p - 1) % across) * (axis_width + panel_width)
panel_top(p) = box_top + panel_head + ((p - 1) / across) * (panel_head + panel_height + panel_foot)
legend_left = box_left + across * (axis_width + panel_width) + legend_gap

# Ticks of a logarithmic axis: the shorter it is, the more of a decade. ns: the values are times in ns.
time_text(v) = v < 1e3 ? sprintf('%g ns', v) : v < 1e6 ? sprintf('%g µs', v / 1e3) : v < 1e9 ? sprintf('%g ms', v / 1e6) : sprintf('%g s', v / 1e9)
number_text(v) = v < 1e4 ? sprintf('%g', v) : v < 1e6 ? sprintf('%gk', v / 1e3) : sprintf('%gM', v / 1e6)
tic_steps(ratio) = ratio <= 1.6 ? '1 1.1 1.2 1.3 1.4 1.5 1.6 1.8 2 2.2 2.5 2.7 3 3.5 4 4.5 5 6 7 8 9' : ratio <= 4 ? '1 1.2 1.5 2 2.5 3 4 5 6 8' : ratio <= 10 ? '1 1.5 2 3 4 5 7' : ratio <= 2000 ? '1 2 5' : '1'
tic_value(e, step) = (0.0 + step) * 10.0**e
tic_shows(v, low, high) = v >= low && v <= high
tic_text(v, ns) = sprintf("'%s' %.10g,", ns ? time_text(v) : number_text(v), v)
# gnuplot's functions have no loops, hence recursion: over the steps of a decade, and over the decades.
tic_decade(e, i, steps, low, high, ns) = i > words(steps) ? '' : (tic_shows(tic_value(e, word(steps, i)), low, high) ? tic_text(tic_value(e, word(steps, i)), ns) : '').tic_decade(e, i + 1, steps, low, high, ns)
tic_decades(e, steps, low, high, ns) = e > log10(high) ? '' : tic_decade(e, 1, steps, low, high, ns).tic_decades(e + 1, steps, low, high, ns)
tic_list(list) = strlen(list) > 0 ? '('.list[1:strlen(list)-1].')' : 'autofreq'
log_tics(low, high, ns) = tic_list(tic_decades(floor(log10(low)), tic_steps(1.0 * high / low), low, high, ns))

do for [format in formats] {
    eval picture_terminal(format)
    set output target.'.'.format
    eval common
    eval frame
    do for [i=1:row_label_count] {
        y = box_top + panel_head + legend_line * (i - 0.5)
        eval sprintf("set arrow %d from screen sx(%d), sy(%d) to screen sx(%d), sy(%d) nohead linewidth 1.8 dashtype %s linecolor rgb %d", 500+i, legend_left, y, legend_left+26, y, row_dash[i], row_color[i])
        set label 500+i row_label[i] at screen sx(legend_left + 34), sy(y) left font small textcolor rgb ink
        set label 800+i '' at screen sx(legend_left + 13), sy(y) point pointtype row_marker[i] pointsize 0.8 linecolor rgb row_color[i]
    }
    set multiplot
    do for [p=1:panel_title_count] {
        set lmargin at screen sx(panel_left(p))
        set rmargin at screen sx(panel_left(p) + panel_width)
        set tmargin at screen sy(panel_top(p))
        set bmargin at screen sy(panel_top(p) + panel_height)
        unset logscale
        if (panel_log_x[p]) { set logscale x 10 }
        if (panel_log_y[p]) { set logscale y 10 }
        set xrange [panel_x_low[p] : panel_x_high[p]]
        set yrange [panel_y_low[p] : panel_y_high[p]]
        set border 3 lc rgb muted
        # Thousands and more are short as 10k; parts of one would be read as minutes: 0.01, not 10m.
        set format x (panel_log_x[p] && panel_x_high[p] > 9999 ? '%.0s%c' : panel_x_high[p] > 99999 ? '%.1s%c' : '%g')
        set format y '%g'
        set xtics autofreq nomirror out scale 0.5 font small textcolor rgb ink offset 0,0.3
        set ytics autofreq nomirror out scale 0.5 font small textcolor rgb ink offset 0.4,0
        # Over few decades the powers of ten alone would say little; numbers of threads are powers of two.
        if (!panel_percentiles[p] && panel_log_x[p] && panel_x_high[p] / panel_x_low[p] <= 400) { eval 'set xtics '.log_tics(panel_x_low[p], panel_x_high[p], 0) }
        if (panel_x_label[p] eq 'threads' && panel_log_x[p]) { set xtics (1,2,3,4,6,8,12,16,24,32,48,64,96,128) }
        if (!panel_percentiles[p] && panel_log_y[p] && panel_y_high[p] / panel_y_low[p] <= 400) { eval 'set ytics '.log_tics(panel_y_low[p], panel_y_high[p], 0) }
        if (panel_percentiles[p]) { set xtics ('p50' 2, 'p90' 10, 'p99' 100, 'p99.9' 1e3, 'p99.99' 1e4, 'p99.999' 1e5, 'p99.9999' 1e6); eval 'set ytics '.log_tics(panel_y_low[p], panel_y_high[p], 1) }
        set grid xtics ytics lc rgb faint lw 0.5
        set xlabel panel_x_label[p] font small textcolor rgb muted offset 0,0.5
        set ylabel panel_y_label[p] font small textcolor rgb muted offset 0.6,0
        set label 1000 panel_title[p] at screen sx(panel_left(p)), sy(panel_top(p) - 14) left font bold textcolor rgb ink
        if (panel_steps[p]) {
            plot for [c=panel_first[p]:panel_last[p]] data index c-1 using 1:2 with steps linewidth 1.6 linecolor rgb row_color[curve_row[c]] notitle
        } else {
            command = 'plot '
            do for [c=panel_first[p]:panel_last[p]] {
                command = command.sprintf("data index %d using 1:2 with linespoints linewidth 1.8 dashtype %s pointtype %d pointsize 0.8 pointinterval %d linecolor rgb %d notitle, ", c-1, row_dash[curve_row[c]], row_marker[curve_row[c]], curve_every[c], row_color[curve_row[c]])
            }
            eval command[1:strlen(command)-2]
        }
        unset label
        unset arrow
    }
    unset multiplot
    unset output
}
