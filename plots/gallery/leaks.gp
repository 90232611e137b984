# leaks, by heapmill 0.1.0. `gnuplot leaks.gp` draws it again from leaks.tsv; restyle freely.
if (!exists("target")) target = 'leaks'
if (!exists("formats")) formats = 'svg png'
data = 'leaks.tsv'
width = 1197
height = 859
box_left = 16
box_top = 59
box_width = 1165
box_height = 756
title_text = 'Which detector finds which kind of leak, and what it costs'
head_line_count = 1
array head_line[1] = ['Found/planted; hatched, in brackets: declared invisible to that detector. Clean: programs without a leak that were suspected.']
foot_line_count = 2
array foot_line[2] = ['Slowdown: CPU time against the bare program, the median of pairs; of whole processes for detectors from outside (lsan, memcheck, heaptrack), so that their start counts.', 'Made by: heapmill leaks --plot (heapmill 0.1.0)']
detector_label_count = 24
array detector_label[24] = ['malloc: ledger', 'malloc: collector', 'malloc: growth', 'malloc: lsan', 'malloc: lsan, told', 'malloc: memcheck', 'malloc: heaptrack', 'pymalloc-3.10: ledger', 'pymalloc-3.10: collector', 'pymalloc-3.10: growth', 'pymalloc-3.10: lsan', 'pymalloc-3.10: lsan, told', 'pymalloc-3.10: memcheck', 'pymalloc-3.10: memcheck, told', 'pymalloc-256: ledger', 'pymalloc-256: collector', 'pymalloc-256: growth', 'freelist-2.7: ledger', 'freelist-2.7: collector', 'freelist-2.7: growth', 'freelist-2.7: lsan', 'freelist-2.7: lsan, told', 'freelist-2.7: memcheck', 'freelist-2.7: memcheck, told']
kind_label_count = 10
array kind_label[10] = ['lost_block', 'thread_exit', 'live_pool', 'cycle_collector_off', 'traverse_hole', 'growing_cache', 'missing_decref', 'error_path_incref', 'interned_string', 'resurrection']
label_width = 219
cell_width = 66
cell_height = 24
head_height = 116
bars_width = 220
slowest = 233.135276

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

# Detectors × kinds of leak: one box a cell, darker the more is found; a column of clean programs that were
# suspected, in red; bars of the slowdown at the right, logarithmic.
left = box_left + label_width
top = box_top + head_height
bottom = top + detector_label_count * cell_height
grid_width = (kind_label_count + 1) * cell_width
bars_left = left + grid_width + 24
bars_room = bars_width - 24 - 60
only(condition, x) = condition ? x : NaN
do for [format in formats] {
    eval picture_terminal(format)
    set output target.'.'.format
    eval common
    eval frame
    set multiplot
    set lmargin at screen sx(left)
    set rmargin at screen sx(left + grid_width)
    set tmargin at screen sy(top)
    set bmargin at screen sy(bottom)
    set xrange [0.5 : kind_label_count + 1.5]
    set yrange [detector_label_count + 0.5 : 0.5]
    set cbrange [0 : 1]
    set palette defined (0 '#f7fbff', 0.5 '#6baed6', 1 '#0b3c6f')
    unset border
    unset xtics
    unset ytics
    do for [i=1:kind_label_count] {
        set label 1000+i kind_label[i] at first i, screen sy(top - 10) left rotate by 45 font small textcolor rgb ink
    }
    set label 2000 'clean' at first kind_label_count + 1, screen sy(top - 10) left rotate by 45 font small_bold textcolor rgb ink
    do for [i=1:detector_label_count] {
        set label 3000+i detector_label[i] at screen sx(left - 10), first i right textcolor rgb ink
    }
    set label 4000 'slowdown (logarithmic)' at screen sx(bars_left), sy(top - 10) left font small_bold textcolor rgb ink
    set colorbox horizontal user origin screen sx(left), screen sy(bottom + 26) size screen 240.0 / width, screen 11.0 / height
    set cbtics ('none found' 0, 'all found' 1) font tiny textcolor rgb ink offset 0,0.6
    set style fill solid 1.0 noborder
    plot data using 1:(only($3 <= 1, $2)):(0.485):(0.46):3 with boxxyerror fillcolor palette notitle, \
         '' using 1:(only($3 == 2, $2)):(0.485):(0.46) with boxxyerror fillcolor rgb '#bbbbbb' fillstyle pattern 4 border rgb '#c4c4c4' notitle, \
         '' using 1:(only($3 == 3, $2)):(0.485):(0.46) with boxxyerror fillcolor rgb '#ffffff' fillstyle solid 1.0 border rgb '#c4c4c4' notitle, \
         '' using 1:(only($3 > 3, $2)):(0.485):(0.46) with boxxyerror fillcolor rgb '#f4a582' notitle, \
         '' using 1:2:($3 >= 0.6 && $3 <= 1 ? strcol(4) : '') with labels center font small textcolor rgb '#ffffff' notitle, \
         '' using 1:2:($3 < 0.6 || $3 > 1 ? strcol(4) : '') with labels center font small textcolor rgb ink notitle
    unset colorbox
    unset label
    set lmargin at screen sx(bars_left)
    set rmargin at screen sx(bars_left + bars_room)
    set xrange [0 : log10(slowest)]
    plot data using (0):(only($5 > 0, $2)):(0):($5 > 1 ? log10($5) : 0.01):($2 - 0.3):($2 + 0.3) with boxxyerror fillcolor rgb '#6baed6' notitle, \
         '' using ($5 > 1 ? log10($5) : 0):2:($5 > 0 ? sprintf(' %.3g', $5) : '') with labels left font small textcolor rgb ink notitle
    unset multiplot
    unset output
}
