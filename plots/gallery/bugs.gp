# bugs, by heapmill 0.1.0. `gnuplot bugs.gp` draws it again from bugs.tsv; restyle freely.
if (!exists("target")) target = 'bugs'
if (!exists("formats")) formats = 'svg png'
data = 'bugs.tsv'
width = 760
height = 764
box_left = 16
box_top = 76
box_width = 728
box_height = 644
title_text = 'Which engine finds which planted bug, and how soon'
head_line_count = 2
array head_line[2] = ['Found/trials, and the mean CPU time to find of one who gives up at 300 s. Unreached: no trial ever ran', 'the wrong code.']
foot_line_count = 2
array foot_line[2] = ['The restricted mean of Kaplan and Meier''s estimate. Each trial begins with an empty corpus.', 'Made by: heapmill fuzz plot results/recorded/score-2026-11-29 -o plots/gallery --format png (heapmill 0.1.0)']
bug_label_count = 21
array bug_label[21] = ['block_ops.freelist-3.x+arena-first-free-last', 'block_ops.pymalloc-3.10+finger-front-taken', 'block_ops.pymalloc-3.10+finger-swap-link', 'block_ops.pymalloc-3.10+finger-take-peer', 'block_ops.pymalloc-3.10+resize-refused-frees', 'block_ops.pymalloc-3.7+arena-search-gives-up', 'object_graph.freelist-2.7+deep-dealloc-discards', 'object_graph.freelist-2.7+deferred-cap', 'object_graph.freelist-2.7+deferred-class-held', 'object_graph.freelist-3.x+deferred-hole-counted', 'object_graph.freelist-3.x+put-off-owned-twice', 'object_graph.freelist-3.x+put-off-taken-twice', 'object_graph.pymalloc-256+put-off-cap', 'object_graph.pymalloc-3.10+deep-dealloc-forgotten', 'object_graph.pymalloc-3.10+deferred-tuple-tracked', 'object_graph.pymalloc-3.10+instance-put-off-class', 'object_graph.pymalloc-3.10+put-off-level-kept', 'object_graph.pymalloc-3.10+put-off-taken-once', 'object_graph.pymalloc-3.7+deferred-level-taken', 'object_graph.pymalloc-3.7+deferred-mixed-forgotten', 'object_graph.pymalloc-3.7+put-off-finalized-early']
engine_label_count = 2
array engine_label[2] = ['libfuzzer', 'afl']
label_width = 366
cell_width = 132
cell_height = 26
head_height = 34
time_least = 0.01
time_limit = 300

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

# Labels that are not wanted are empty instead of being points at NaN: gnuplot 5.4.4 crashes on a block of one row
# with such a point. Bugs × engines: one box a cell, darker the sooner the bug is found; never found is white, no trials hatched.
left = box_left + label_width
top = box_top + head_height
bottom = top + bug_label_count * cell_height
grid_width = engine_label_count * cell_width
only(condition, x) = condition ? x : NaN
do for [format in formats] {
    eval picture_terminal(format)
    set output target.'.'.format
    eval common
    eval frame
    set lmargin at screen sx(left)
    set rmargin at screen sx(left + grid_width)
    set tmargin at screen sy(top)
    set bmargin at screen sy(bottom)
    set xrange [0.5 : engine_label_count + 0.5]
    set yrange [bug_label_count + 0.5 : 0.5]
    set cbrange [0 : 1]
    set palette defined (0 '#0b3c6f', 0.35 '#2f7ab8', 0.7 '#9cc9ee', 1 '#e6f1fa')
    unset border
    unset xtics
    unset ytics
    do for [i=1:engine_label_count] {
        set label 1000+i engine_label[i] at first i, screen sy(top - 12) center font small_bold textcolor rgb ink
    }
    do for [i=1:bug_label_count] {
        set label 3000+i bug_label[i] at screen sx(left - 10), first i right textcolor rgb ink
    }
    set colorbox horizontal user origin screen sx(left), screen sy(bottom + 26) size screen 240.0 / width, screen 11.0 / height
    set cbtics () font tiny textcolor rgb ink offset 0,0.6
    decades = log10(time_limit / time_least)
    do for [i=0:int(decades)] {
        set cbtics add (sprintf('%g s', time_least * 10**i) i / decades)
    }
    set label 5001 'white: never found' at screen sx(left + 262), sy(bottom + 20) font small textcolor rgb ink
    set style fill solid 1.0 noborder
    plot data using 1:(only($3 <= 1, $2)):(0.485):(0.46):3 with boxxyerror fillcolor palette notitle, \
         '' using 1:(only($3 == 2, $2)):(0.485):(0.46) with boxxyerror fillcolor rgb '#ffffff' fillstyle solid 1.0 border rgb '#c4c4c4' notitle, \
         '' using 1:(only($3 == 3, $2)):(0.485):(0.46) with boxxyerror fillcolor rgb '#bbbbbb' fillstyle pattern 4 border rgb '#c4c4c4' notitle, \
         '' using 1:2:($3 <= 0.55 ? strcol(4) : '') with labels center font small textcolor rgb '#ffffff' notitle, \
         '' using 1:2:($3 > 0.55 ? strcol(4) : '') with labels center font small textcolor rgb ink notitle
    unset output
}
