# heatmap: the figure "heatmap" of heapmill 0.1.0. `gnuplot heatmap.gp` draws it again from heatmap.tsv;
# restyle freely, nothing has to be measured for that.
if (!exists("target")) target = 'heatmap'
if (!exists("formats")) formats = 'svg png'
data = 'heatmap.tsv'

# The canvas and the drawing's box in it, in pixels from the top left.
width = 916
height = 592
box_left = 16
box_top = 59
box_width = 884
box_height = 461
title_text = 'CPU time per operation, relative to malloc:preload'
head_line_count = 1
array head_line[1] = ['Lower is better: 0.50 needs half as much as the base, 2.00 twice as much. Blue: faster, red: slower.']
foot_line_count = 4
array foot_line[4] = ['Base malloc:preload. Arms: preload, inline, call (mixed: each row names its own). Paired rounds: 16 to 17. Noise floor ±1.2% (10 A/A pairs). No filter:', 'everything that was measured is shown.', 'Host vm: AMD EPYC, 2 cores, kernel 6.18.44-fc-v595, huge pages madvise, libc 2.36. heapmill 0.1.0, run of 2026-11-22T22:31:30Z.', 'Measured by: heapmill bench --matrix quick -o results/quick']
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
column_label_count = 10
array column_label[10] = ['batch order=fifo', 'batch order=random', 'churn', 'pingpong', 'binary_trees', 'cyclic_graph', 'int_churn', 'json_documents', 'lru_cache', 'type_shift']
cell_width = 58
cell_height = 23
label_width = 159
label_height = 100
geomean_gap = 12
color_limit = 2

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

# The heat map: one box a cell, its ratio as text. What was not told apart from the base has no colour; what
# failed is dark, whatever it took. Labels that are not wanted are empty instead of being points at NaN: gnuplot
# 5.4.4 crashes on a block of one row with such a point.
told(v) = v eq 'faster' || v eq 'slower' || v eq 'smaller' || v eq 'larger' || v eq 'too few rounds'
clip(x) = x > color_limit ? color_limit : x < -color_limit ? -color_limit : x
level(r) = r > 0 ? clip(log(r) / log(2)) : NaN
figure_of(r) = r < 9.995 ? sprintf('%.2f', r) : r < 99.95 ? sprintf('%.1f', r) : sprintf('%.0f', r)
text_of(v, r) = v eq 'base' ? '1' : v eq 'too few rounds' ? '('.figure_of(r).')' : figure_of(r)
dark(r) = abs(level(r)) > 0.72 * color_limit
only(condition, x) = condition ? x : NaN
left = box_left + label_width
top = box_top + label_height
grid_width = (column_label_count + 1) * cell_width + geomean_gap
grid_height = row_label_count * cell_height
mean_x = column_label_count + 1 + 1.0 * geomean_gap / cell_width
bottom = top + grid_height

do for [format in formats] {
    eval picture_terminal(format)
    set output target.'.'.format
    eval common
    eval frame
    eval diverging
    set lmargin at screen sx(left)
    set rmargin at screen sx(left + grid_width)
    set tmargin at screen sy(top)
    set bmargin at screen sy(bottom)
    set xrange [0.5 : 0.5 + 1.0 * grid_width / cell_width]
    set yrange [row_label_count + 0.5 : 0.5]
    set cbrange [-color_limit : color_limit]
    unset border
    unset xtics
    unset ytics
    do for [i=1:column_label_count] {
        set label 1000+i column_label[i] at first i, screen sy(top - 6) left rotate by 40 textcolor rgb ink
    }
    set label 2000 'geometric mean' at first mean_x, screen sy(top - 6) left rotate by 40 font bold textcolor rgb ink
    do for [i=1:row_label_count] {
        eval row_name(i, left - 6, 'plain')
    }
    # The scale, in ratios, and what has no colour.
    set colorbox horizontal user origin screen sx(box_left + 12), screen sy(bottom + 30) size screen 200.0 / width, screen 11.0 / height
    set cbtics () font tiny textcolor rgb ink offset 0,0.6
    do for [i=0:4] {
        set cbtics add (sprintf('%.2g', 2 ** (color_limit * (i - 2) / 2.0)) color_limit * (i - 2) / 2.0)
    }
    key_x = box_left + 240
    set label 5001 'grey: no difference   (n): too few rounds for a verdict' at screen sx(key_x), sy(bottom + 25) font small textcolor rgb ink
    set label 5002 'dark: failed   n/a: not applicable   mean: - where a cell has no figure' at screen sx(key_x), sy(bottom + 40) font small textcolor rgb ink
    set style fill solid 1.0 noborder
    plot data index 0 using 1:(only(told(strcol(3)), $2)):(0.48):(0.46):(level($4)) with boxxyerror fillcolor palette, \
         '' index 0 using 1:(only(strcol(3) eq 'no difference', $2)):(0.48):(0.46) with boxxyerror fillcolor rgb '#ececec', \
         '' index 0 using 1:(only(strcol(3) eq 'failed', $2)):(0.48):(0.46) with boxxyerror fillcolor rgb '#3a3a3a', \
         '' index 0 using 1:(only(strcol(3) eq 'not applicable', $2)):(0.48):(0.46) with boxxyerror fillcolor rgb '#bbbbbb' fillstyle empty border rgb '#bbbbbb', \
         '' index 0 using 1:(only(strcol(3) eq 'base', $2)):(0.48):(0.46) with boxxyerror fillcolor rgb ink fillstyle empty border rgb ink, \
         '' index 1 using (mean_x):(only($5 == 1, $1)):(0.48):(0.46):(level($2)) with boxxyerror fillcolor palette, \
         '' index 0 using 1:2:(told(strcol(3)) && dark($4) ? text_of(strcol(3), $4) : '') with labels font small textcolor rgb 'white', \
         '' index 0 using 1:2:(told(strcol(3)) && !dark($4) ? text_of(strcol(3), $4) : '') with labels font small textcolor rgb ink, \
         '' index 0 using 1:2:(strcol(3) eq 'failed' ? 'failed' : '') with labels font small_bold textcolor rgb 'white', \
         '' index 0 using 1:2:(strcol(3) eq 'not applicable' ? 'n/a' : '') with labels font small textcolor rgb muted, \
         '' index 0 using 1:2:(strcol(3) eq 'no difference' || strcol(3) eq 'base' ? text_of(strcol(3), $4) : '') with labels font small textcolor rgb muted, \
         '' index 1 using (mean_x):1:($5 == 1 && dark($2) ? figure_of($2) : '') with labels font small_bold textcolor rgb 'white', \
         '' index 1 using (mean_x):1:($5 == 1 && !dark($2) ? figure_of($2) : '') with labels font small_bold textcolor rgb ink, \
         '' index 1 using (mean_x):1:($5 == 1 ? '' : '-') with labels font small textcolor rgb muted
    unset output
}
