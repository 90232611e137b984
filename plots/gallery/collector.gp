# collector: the figure "collector" of heapmill 0.1.0. `gnuplot collector.gp` draws it again from collector.tsv;
# restyle freely, nothing has to be measured for that.
if (!exists("target")) target = 'collector'
if (!exists("formats")) formats = 'svg png'
data = 'collector.tsv'

# The canvas and the drawing's box in it, in pixels from the top left.
width = 1957
height = 1659
box_left = 16
box_top = 59
box_width = 1925
box_height = 1528
title_text = 'What collectors cost, and what they give'
head_line_count = 1
array head_line[1] = ['Lower is better, and to the left where pauses are drawn. Medians over the rounds; a collector without a pause has no point.']
foot_line_count = 4
array foot_line[4] = ['Base cpython-objects:own. Arms: inline, own (mixed: each row names its own). Paired rounds: 4 to 6. Noise floor ±5.5% (median; 2 A/A pairs). No filter: everything that was measured is shown.', 'group full_collection/shape=linked_shuffled,n=1000000/t1 is incomplete in round 5 of the time pass: its 3 records were left out; `heapmill bench --resume` goes on there', 'Host vm: AMD EPYC, 2 cores, kernel 6.18.44-fc-v595, huge pages madvise, libc 2.36. heapmill 0.1.0, run of 2026-11-22T22:52:03Z.', 'Measured by: heapmill bench -b pymalloc-3.10:inline,cpython-objects --base cpython-objects -w full_collection,garbage_two_cycles,dead_shuffled,live_heap_growth,cyclic_graph -p ''collector=*'' -p full_collection.shape=lists,linked,linked_shuffled -p n=1e6 -p live_heap_growth.live=1e4,1e5,1e6 --rounds 6 --target-ms 50 -o /tmp/gcq1']
noise_floor = 0.0546010219

# The rows: a colour and marker for each back end, a dash for each arm.
row_label_count = 6
array row_label[6] = ['pymalloc-3.10{collector=generational-2000}:inline', 'pymalloc-3.10{collector=generational-700-no25}:inline', 'pymalloc-3.10{collector=generational-700}:inline', 'pymalloc-3.10{collector=growth}:inline', 'pymalloc-3.10{collector=none}:inline', 'cpython-objects:own']
row_color_count = 6
array row_color[6] = [0x51014d, 0x51014d, 0xa669fc, 0xa669fc, 0x927a00, 0x927a00]
row_marker_count = 6
array row_marker[6] = [14, 9, 5, 7, 14, 7]
row_dash_count = 6
array row_dash[6] = ['(4,2)', '(4,2)', '(4,2)', '(4,2)', '(4,2)', '(4,2)']

# The figure's own.
panel_title_count = 10
array panel_title[10] = ['live_heap_growth: shape=lists,cycle=40', 'cyclic_graph: the trade', 'dead_shuffled: the trade', 'full_collection shape=lists: the trade', 'full_collection shape=linked: the trade', 'full_collection shape=linked_shuffled: the trade', 'garbage_two_cycles: the trade', 'live_heap_growth live=10000: the trade', 'live_heap_growth live=100000: the trade', 'live_heap_growth live=1000000: the trade']
panel_x_label_count = 10
array panel_x_label[10] = ['live objects', 'longest pause, us of CPU time', 'longest pause, us of CPU time', 'longest pause, us of CPU time', 'longest pause, us of CPU time', 'longest pause, us of CPU time', 'longest pause, us of CPU time', 'longest pause, us of CPU time', 'longest pause, us of CPU time', 'longest pause, us of CPU time']
panel_y_label_count = 10
array panel_y_label[10] = ['ns of collector for an operation', 'ns for an operation, the collector''s in it', 'ns for an operation, the collector''s in it', 'ns for an operation, the collector''s in it', 'ns for an operation, the collector''s in it', 'ns for an operation, the collector''s in it', 'ns for an operation, the collector''s in it', 'ns for an operation, the collector''s in it', 'ns for an operation, the collector''s in it', 'ns for an operation, the collector''s in it']
panel_x_low_count = 10
array panel_x_low[10] = [7585.77575, 829.120352, 289726.895, 11590.2655, 11913.7423, 161461.967, 30955.4436, 21.0206834, 304.11957, 24317.1309]
panel_x_high_count = 10
array panel_x_high[10] = [1318256.74, 20802.1604, 426923.446, 64467.3392, 54452.5762, 1344130.38, 117930.701, 159.974908, 4937.70826, 90938.1968]
panel_y_low_count = 10
array panel_y_low[10] = [8.41250274, 171.073539, 289.740255, 11.5909936, 11.7485768, 161.47903, 30.9713764, 53.2401948, 77.7182597, 99.4860649]
panel_y_high_count = 10
array panel_y_high[10] = [335.862318, 832.676166, 426.949225, 63.9950113, 52.9473905, 1344.15394, 117.954444, 110.152743, 143.962641, 384.059039]
panel_log_x_count = 10
array panel_log_x[10] = [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]
panel_log_y_count = 10
array panel_log_y[10] = [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]
panel_steps_count = 10
array panel_steps[10] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
panel_percentiles_count = 10
array panel_percentiles[10] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
panel_first_count = 10
array panel_first[10] = [1, 6, 11, 17, 23, 29, 35, 41, 46, 51]
panel_last_count = 10
array panel_last[10] = [5, 10, 16, 22, 28, 34, 40, 45, 50, 55]
curve_row_count = 55
array curve_row[55] = [1, 2, 3, 4, 6, 1, 2, 3, 4, 6, 1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 6, 1, 2, 3, 4, 6, 1, 2, 3, 4, 6]
curve_every_count = 55
array curve_every[55] = [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]
across = 3
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
        set format x (panel_log_x[p] && panel_x_high[p] > 9999 && panel_x_high[p] / panel_x_low[p] > 50 ? '%.0s%c' : '%g')
        set format y '%g'
        # Within less than a decade the powers of ten alone would say nothing.
        set xtics autofreq nomirror out scale 0.5 font small textcolor rgb ink offset 0,0.3
        set ytics autofreq nomirror out scale 0.5 font small textcolor rgb ink offset 0.4,0
        if (!panel_percentiles[p] && panel_log_x[p] && panel_x_high[p] / panel_x_low[p] <= 50) { set xtics (1,2,3,4,6,8,12,16,24,32,48,64,96,128) }
        if (!panel_percentiles[p] && panel_log_x[p] && panel_x_high[p] / panel_x_low[p] <= 50 && panel_x_high[p] > 130) { set xtics (10,20,50,100,200,500,1000,2000,5000,10000,20000,50000,100000,200000,500000,1000000) }
        if (!panel_percentiles[p] && panel_log_y[p] && panel_y_high[p] / panel_y_low[p] <= 50) { set ytics (0.1,0.2,0.5,1,2,3,4,5,7,10,15,20,30,40,50,70,100,150,200,300,500,700,1000,2000,5000,10000,20000,50000) }
        if (panel_percentiles[p]) { set xtics ('p50' 2, 'p90' 10, 'p99' 100, 'p99.9' 1e3, 'p99.99' 1e4, 'p99.999' 1e5, 'p99.9999' 1e6); set ytics ('1 ns' 1, '10 ns' 10, '20 ns' 20, '50 ns' 50, '100 ns' 100, '200 ns' 200, '500 ns' 500, '1 µs' 1e3, '2 µs' 2e3, '5 µs' 5e3, '10 µs' 1e4, '100 µs' 1e5, '1 ms' 1e6, '10 ms' 1e7, '100 ms' 1e8, '1 s' 1e9) }
        set grid xtics ytics lc rgb faint lw 0.5
        set xlabel panel_x_label[p] font small textcolor rgb muted offset 0,0.5
        set ylabel panel_y_label[p] font small textcolor rgb muted offset 1.2,0
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
