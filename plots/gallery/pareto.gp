# pareto: the figure "pareto" of heapmill 0.1.0. `gnuplot pareto.gp` draws it again from pareto.tsv;
# restyle freely, nothing has to be measured for that.
if (!exists("target")) target = 'pareto'
if (!exists("formats")) formats = 'svg png'
data = 'pareto.tsv'

# The canvas and the drawing's box in it, in pixels from the top left.
width = 1703
height = 1433
box_left = 16
box_top = 59
box_width = 1671
box_height = 1302
title_text = 'Time against memory, relative to malloc:preload'
head_line_count = 1
array head_line[1] = ['Lower left is better: less time, less memory. Line: the Pareto front, which nobody beats in both (null and bump, the yardsticks, left out). Letters: the arm of points without a name.']
foot_line_count = 4
array foot_line[4] = ['Families weigh equally in the mean.', 'Base malloc:preload. Arms: preload, inline, call (mixed: each row names its own). Paired rounds: 16 to 17. Noise floor ±1.2% (10 A/A pairs). No filter: everything that was measured is shown.', 'Host vm: AMD EPYC, 2 cores, kernel 6.18.44-fc-v595, huge pages madvise, libc 2.36. heapmill 0.1.0, run of 2026-11-22T22:31:30Z.', 'Measured by: heapmill bench --matrix quick -o results/quick']
noise_floor = 0.012120352

# The rows: a colour and marker for each back end, a dash for each arm.
row_label_count = 13
array row_label[13] = ['malloc:preload', 'null:inline', 'bump:inline', 'pymalloc-256:preload', 'pymalloc-3.7:preload', 'pymalloc-3.10:preload', 'freelist-2.7:inline', 'freelist-3.x:inline', 'cpython:call', 'mimalloc:preload', 'jemalloc:preload', 'tcmalloc:preload', 'tbbmalloc:preload']
row_color_count = 13
array row_color[13] = [0x14110f, 0x91958b, 0x70747f, 0x72b3fe, 0x215aca, 0x050398, 0x8ed09e, 0x255f4d, 0xe8ca2b, 0xeb8d2b, 0xa32904, 0x7b4490, 0xf777c8]
row_marker_count = 13
array row_marker[13] = [7, 1, 2, 4, 13, 5, 8, 9, 15, 11, 12, 6, 10]
row_dash_count = 13
array row_dash[13] = ['solid', '(4,2)', '(4,2)', 'solid', 'solid', 'solid', '(4,2)', '(4,2)', '(10,4)', 'solid', 'solid', 'solid', 'solid']

# The figure's own.
panel_note_one_count = 8
array panel_note_one[8] = ['beyond the axes: null:inline (12.6, 0.394), bump:inline (25.9, 1.32); without pingpong', 'beyond the axes: null:inline (1.65, 0.0985), bump:inline (251, 1.37)', 'beyond the axes: null:inline (28.4, 0.337), bump:inline (41.3, 1.92)', 'beyond the axes: null:inline (4.5, 0.671), bump:inline (21.3, 1.48)', 'beyond the axes: null:inline (13.6, 0.547), bump:inline (2.28, 0.806)', 'beyond the axes: null:inline (187, 0.671), bump:inline (290, 1.56)', 'beyond the axes: null:inline (11.1, 0.71), bump:inline (26.5, 1.7)', 'beyond the axes: null:inline (8.39, 0.251), bump:inline (2, 0.828)']
panel_note_two_count = 8
array panel_note_two[8] = ['', '', '', '', '', '', '', '']
panel_title_count = 8
array panel_title[8] = ['All workloads (geometric mean)', 'batch', 'steady', 'pointers', 'cycles', 'numbers', 'mixed', 'phases']
panel_x_low_count = 8
array panel_x_low[8] = [0.864332903, 0.678918999, 0.854479025, 0.836548722, 0.807199083, 0.79170368, 0.872568883, 0.933577171]
panel_x_high_count = 8
array panel_x_high[8] = [1.29319281, 1.54374369, 1.19016031, 1.40533188, 1.07908266, 3.05736574, 1.16101182, 1.64592818]
panel_y_low_count = 8
array panel_y_low[8] = [0.643374635, 0.273449069, 0.61383489, 0.706648035, 0.578958541, 0.521639503, 0.700649126, 0.711930542]
panel_y_high_count = 8
array panel_y_high[8] = [1.36781966, 2.31048287, 1.57755991, 1.18775657, 1.06183655, 1.88506554, 1.24799301, 1.64243305]
label_text_count = 78
array label_text[78] = ['malloc:preload', 'pymalloc-256:preload', 'pymalloc-3.10:preload', 'freelist-2.7:inline', 'freelist-3.x:inline', 'cpython:call', 'mimalloc:preload', 'jemalloc:preload', 'tcmalloc:preload', 'tbbmalloc:preload', 'malloc:preload', 'pymalloc-256:preload', 'pymalloc-3.7:preload', 'freelist-2.7:inline', 'freelist-3.x:inline', 'cpython:call', 'mimalloc:preload', 'jemalloc:preload', 'tcmalloc:preload', 'tbbmalloc:preload', 'malloc:preload', 'pymalloc-3.10:preload', 'freelist-2.7:inline', 'freelist-3.x:inline', 'cpython:call', 'mimalloc:preload', 'jemalloc:preload', 'tcmalloc:preload', 'tbbmalloc:preload', 'malloc:preload', 'pymalloc-256:preload', 'pymalloc-3.7:preload', 'pymalloc-3.10:preload', 'freelist-3.x:inline', 'cpython:call', 'mimalloc:preload', 'jemalloc:preload', 'tcmalloc:preload', 'tbbmalloc:preload', 'malloc:preload', 'pymalloc-256:preload', 'pymalloc-3.7:preload', 'freelist-2.7:inline', 'freelist-3.x:inline', 'cpython:call', 'mimalloc:preload', 'jemalloc:preload', 'tcmalloc:preload', 'tbbmalloc:preload', 'pymalloc-256:preload', 'freelist-2.7:inline', 'freelist-3.x:inline', 'cpython:call', 'mimalloc:preload', 'jemalloc:preload', 'tcmalloc:preload', 'tbbmalloc:preload', 'malloc:preload', 'pymalloc-256:preload', 'pymalloc-3.10:preload', 'freelist-2.7:inline', 'freelist-3.x:inline', 'cpython:call', 'mimalloc:preload', 'jemalloc:preload', 'tcmalloc:preload', 'tbbmalloc:preload', 'malloc:preload', 'pymalloc-256:preload', 'pymalloc-3.7:preload', 'pymalloc-3.10:preload', 'freelist-2.7:inline', 'freelist-3.x:inline', 'cpython:call', 'mimalloc:preload', 'jemalloc:preload', 'tcmalloc:preload', 'tbbmalloc:preload']
label_panel_count = 78
array label_panel[78] = [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3, 3, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8]
label_x_count = 78
array label_x[78] = [1, 0.917780265, 0.924377483, 0.961318589, 1.21788312, 0.946360335, 1.1051538, 1.04169518, 0.999713748, 1.15255878, 1, 0.756410256, 0.756410256, 0.769230769, 1.3974359, 0.807692308, 0.897435897, 0.762793578, 0.756410256, 0.75, 1, 0.914632149, 0.907317057, 1.045343, 0.925173713, 1.06393621, 0.974807419, 0.979750818, 1.12085077, 1, 1.01559454, 1.01559454, 1.00389864, 1.31968811, 1.01461988, 1.00682261, 1.03508772, 1.01072125, 1.20467836, 1, 0.878495066, 0.878495066, 0.857113487, 0.892064145, 0.866776316, 0.872738487, 0.879523026, 0.871710526, 1.01624178, 0.93258427, 1, 2.07865169, 1.04494382, 2.31460674, 1.92134831, 1.51685393, 2.59550562, 1, 0.943960149, 1.01369863, 0.926525529, 1.09339975, 0.98505604, 1.02988792, 0.99003736, 0.99003736, 0.99501868, 1, 1.01586895, 1.01586895, 1.00806245, 1.53660097, 1.01676478, 1.00499104, 1.0067827, 1.03365754, 1.01778858, 1.01650883]
label_y_count = 78
array label_y[78] = [1, 1.06487623, 0.875844855, 0.926594917, 0.741288188, 0.850629184, 0.685111111, 0.82862897, 0.733218292, 1.28449307, 1, 1.41543439, 1.49334526, 1.93404791, 0.326672047, 0.532002365, 0.488618697, 0.849710049, 0.582424381, 1.35803222, 1, 1.12364895, 0.896689511, 0.946587186, 1.08471237, 0.676677353, 0.759756914, 0.664068317, 1.45822544, 1, 1.06689433, 1.06011014, 0.883877037, 0.793753823, 0.902727247, 0.750344709, 0.932909426, 0.816877702, 1.11858701, 1, 0.793306899, 0.78639364, 0.733253433, 0.625862085, 0.643432194, 0.614759337, 0.650368502, 0.674818075, 0.854082319, 1.08201023, 0.580586328, 0.949363023, 1.00100378, 0.797251356, 0.837294311, 0.789366735, 1.69367518, 1, 0.930726208, 0.897060136, 0.785738203, 0.784274269, 0.858565248, 0.763347575, 0.790007252, 0.743974848, 1.17531555, 1, 1.22515728, 1.23381441, 1.17565409, 1.13485033, 1.0754054, 1.11862736, 0.763293907, 1.03530229, 0.909913082, 1.53191089]
label_dx_count = 78
array label_dx[78] = [9, 9, 8, 9, 0, -9, -9, 9, -9, 9, 9, 9, 8, 9, -9, 0, 0, 9, 9, 8, 9, 9, 0, 9, 9, 0, 9, -9, -9, 9, 9, 0, 9, -9, 9, -9, 9, 9, 9, 9, 9, 8, 8, 9, -9, -9, 9, 9, -9, 8, 0, -9, 9, -9, 9, -9, -9, 9, 9, 9, 0, -9, 9, 9, 0, -9, 9, 9, 9, 8, 9, -9, 9, 9, 0, 9, 9, 9]
label_dy_count = 78
array label_dy[78] = [0, 0, -10, 0, -12, 0, 0, 0, 0, 0, 0, 0, -10, 0, 0, 12, 12, 0, 0, 10, 0, 0, 12, 0, 0, -12, 0, 0, 0, 0, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 10, -10, 0, 0, 0, 0, 0, 0, -10, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 12, 0, 0, 0, -12, 0, 0, 0, 0, -10, 0, 0, 0, 0, 12, 0, 0, 0]
label_align_count = 78
array label_align[78] = [0, 0, 0, 0, 1, 2, 2, 0, 2, 0, 0, 0, 0, 0, 2, 1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 2, 2, 0, 0, 1, 0, 2, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 2, 2, 0, 0, 2, 0, 1, 2, 0, 2, 0, 2, 2, 0, 0, 0, 1, 2, 0, 0, 1, 2, 0, 0, 0, 0, 0, 2, 0, 0, 1, 0, 0, 0]
row_letter_count = 13
array row_letter[13] = ['', '', '', '', '', '', '', '', '', '', '', '', '']
across = 3
axis_width = 62
panel_width = 430
panel_height = 330
panel_head = 58
panel_foot = 46
legend_gap = 24
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

# Time against memory on logarithmic axes, the base at (1, 1). Rows have their colour and marker; names stand at
# the points where there is room, and all of them in the legend.
only(condition, x) = condition ? x : NaN
panel_left(p) = box_left + axis_width + ((p - 1) % across) * (axis_width + panel_width)
panel_top(p) = box_top + panel_head + ((p - 1) / across) * (panel_head + panel_height + panel_foot)
legend_left = box_left + across * (axis_width + panel_width) + legend_gap

coarse_tics = "('1/64' 1.0/64, '1/32' 1.0/32, '1/16' 1.0/16, '1/8' 1.0/8, '1/4' 0.25, '1/2' 0.5, '0.7' 0.7, '1' 1, '1.4' 1.4, '2' 2, '4' 4, '8' 8, '16' 16, '32' 32, '64' 64)"
fine_tics = "('0.3' 0.3, '0.4' 0.4, '0.5' 0.5, '0.6' 0.6, '0.7' 0.7, '0.8' 0.8, '0.9' 0.9, '1' 1, '1.1' 1.1, '1.2' 1.2, '1.4' 1.4, '1.6' 1.6, '1.8' 1.8, '2' 2, '2.5' 2.5, '3' 3)"

do for [format in formats] {
    eval picture_terminal(format)
    set output target.'.'.format
    eval common
    eval frame
    do for [i=1:row_label_count] {
        set label 500+i row_label[i].(row_letter[i] eq '' ? '' : '  ('.row_letter[i].')') at screen sx(legend_left + 14), sy(box_top + panel_head + legend_line * (i - 0.5)) left font small textcolor rgb ink
        set label 800+i '' at screen sx(legend_left), sy(box_top + panel_head + legend_line * (i - 0.5)) point pointtype row_marker[i] pointsize 1.1 linewidth 1.5 linecolor rgb row_color[i]
    }
    set multiplot
    do for [p=1:panel_title_count] {
        set lmargin at screen sx(panel_left(p))
        set rmargin at screen sx(panel_left(p) + panel_width)
        set tmargin at screen sy(panel_top(p))
        set bmargin at screen sy(panel_top(p) + panel_height)
        set logscale xy 2
        set xrange [panel_x_low[p] : panel_x_high[p]]
        set yrange [panel_y_low[p] : panel_y_high[p]]
        set border 3 lc rgb muted
        set xtics nomirror out scale 0.5 font small textcolor rgb ink offset 0,0.3
        set ytics nomirror out scale 0.5 font small textcolor rgb ink offset 0.4,0
        eval 'set xtics '.(panel_x_high[p] / panel_x_low[p] < 3 ? fine_tics : coarse_tics)
        eval 'set ytics '.(panel_y_high[p] / panel_y_low[p] < 3 ? fine_tics : coarse_tics)
        set grid xtics ytics lc rgb faint lw 0.5
        set xlabel 'peak of memory held, ratio to base' font small textcolor rgb muted offset 0,0.6
        set ylabel 'time per operation, ratio to base' font small textcolor rgb muted offset 1.2,0
        set label 1000 panel_title[p] at screen sx(panel_left(p)), sy(panel_top(p) - 40) left font bold textcolor rgb ink
        set label 1001 panel_note_one[p] at screen sx(panel_left(p)), sy(panel_top(p) - 25) left font tiny textcolor rgb muted
        set label 1002 panel_note_two[p] at screen sx(panel_left(p)), sy(panel_top(p) - 13) left font tiny textcolor rgb muted
        do for [i=1:label_text_count] {
            if (label_panel[i] == p) {
                label_place = sprintf("set label %d label_text[%d] at screen sx(panel_left(p) + panel_width * log(label_x[%d]/panel_x_low[p]) / log(panel_x_high[p]/panel_x_low[p]) + label_dx[%d]), sy(panel_top(p) + panel_height * log(panel_y_high[p]/label_y[%d]) / log(panel_y_high[p]/panel_y_low[p]) + label_dy[%d]) %s font tiny textcolor rgb ink", 2000+i, i, i, i, i, i, word('left center right', int(label_align[i]) + 1))
                eval label_place
            }
        }
        plot data index 2*(p-1)+1 using 1:2 with lines linewidth 1.6 linecolor rgb '#9ecae1', \
             '' index 2*(p-1) using 2:3:(row_marker[int($1)]):(row_color[int($1)]) with points pointtype variable linecolor rgb variable pointsize 1.1 linewidth 1.5, \
             '' index 2*(p-1) using 2:3:($5 == 0 ? row_letter[int($1)] : '') with labels left offset 0.55,0.45 font font_face.':Bold,8' textcolor rgb ink
        unset label
    }
    unset multiplot
    unset output
}
