# memory-live_heap_growth: the figure "memory" of heapmill 0.1.0. `gnuplot memory-live_heap_growth.gp` draws it again from memory-live_heap_growth.tsv;
# restyle freely, nothing has to be measured for that.
if (!exists("target")) target = 'memory-live_heap_growth'
if (!exists("formats")) formats = 'svg png'
data = 'memory-live_heap_growth.tsv'

# The canvas and the drawing's box in it, in pixels from the top left.
width = 948
height = 793
box_left = 16
box_top = 59
box_width = 916
box_height = 634
title_text = 'Memory over operations: live_heap_growth'
head_line_count = 1
array head_line[1] = ['Lower is better; what is held but not live is overhead and waste. The same axes in every panel.']
foot_line_count = 6
array foot_line[6] = ['Held: the back end''s own count where it has one; (smaps) marks anonymous memory as the kernel sees it. RSS includes the worker''s own memory. »: beyond the axis.', 'Base pymalloc-3.10{collector=generational-700}:inline. Arms: inline. Paired rounds: 0. Noise floor unknown (too few A/A rounds of this metric): no verdicts. No', 'filter: everything that was measured is shown.', 'Host vm: Intel(R) Xeon(R) Processor, 2 cores, kernel 6.18.44-fc-v657, huge pages madvise, libc 2.36. heapmill 0.1.0, run of 2026-11-29T13:08:10Z.', 'Measured by: heapmill bench -b pymalloc-3.10:inline --base ''pymalloc-3.10{collector=generational-700}:inline'' -w live_heap_growth,cyclic_graph -p ''collector=*'' -p', 'live_heap_growth.live=1e6 -p cyclic_graph.live=1e5 --metric memory --target-ms 200 -o memory']
noise_floor = NaN

# The rows: a colour and marker for each back end, a dash for each arm.
row_label_count = 9
array row_label[9] = ['pymalloc-3.10{collector=generational-2000}:inline', 'pymalloc-3.10{collector=generational-700-no25}:inline', 'pymalloc-3.10{collector=generational-700}:inline', 'pymalloc-3.10{collector=growth}:inline', 'pymalloc-3.10{collector=incremental}:inline', 'pymalloc-3.10{collector=none}:inline', 'pymalloc-3.10{collector=snapshot}:inline', 'pymalloc-3.10{collector=trial-deletion-orc}:inline', 'pymalloc-3.10{collector=trial-deletion-php}:inline']
row_color_count = 9
array row_color[9] = [0x72b3fe, 0x215aca, 0x050398, 0x255f4d, 0xeb8d2b, 0x91958b, 0xa32904, 0xf777c8, 0x8ed09e]
row_marker_count = 9
array row_marker[9] = [4, 13, 5, 9, 11, 1, 12, 10, 8]
row_dash_count = 9
array row_dash[9] = ['(4,2)', '(4,2)', '(4,2)', '(4,2)', '(4,2)', '(4,2)', '(4,2)', '(4,2)', '(4,2)']

# The figure's own.
panel_title_count = 9
array panel_title[9] = ['pymalloc-3.10{collector=generational-2000}:inline', 'pymalloc-3.10{collector=generational-700-no25}:inline', 'pymalloc-3.10{collector=generational-700}:inline', 'pymalloc-3.10{collector=growth}:inline', 'pymalloc-3.10{collector=incremental}:inline', 'pymalloc-3.10{collector=none}:inline', 'pymalloc-3.10{collector=snapshot}:inline', 'pymalloc-3.10{collector=trial-deletion-orc}:inline', 'pymalloc-3.10{collector=trial-deletion-php}:inline']
panel_note_count = 9
array panel_note[9] = ['peak held 102 MiB, RSS 119 MiB', 'peak held 102 MiB, RSS 117 MiB', 'peak held 102 MiB, RSS 117 MiB', 'peak held 126 MiB, RSS 144 MiB', 'peak held 139 MiB, RSS 169 MiB', 'peak held 139 MiB, RSS 159 MiB', 'peak held 102 MiB, RSS 121 MiB', 'peak held 126 MiB, RSS 156 MiB', 'peak held 100 MiB, RSS 128 MiB']
panel_color_count = 9
array panel_color[9] = [0x72b3fe, 0x215aca, 0x050398, 0x255f4d, 0xeb8d2b, 0x91958b, 0xa32904, 0xf777c8, 0x8ed09e]
panel_marker_count = 9
array panel_marker[9] = [4, 13, 5, 9, 11, 1, 12, 10, 8]
panel_drawn_count = 9
array panel_drawn[9] = [1, 1, 1, 1, 1, 1, 1, 1, 1]
divisor = 1048576
unit = 'MiB'
operations_max = 3603947
bytes_max = 199002030
across = 3
axis_width = 58
key_height = 28
panel_width = 250
panel_height = 128
panel_head = 38
panel_foot = 36
panel_gap = 36

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

# One panel a back end on common axes: the area is what the workload has live, the lines what that costs.
mib(x) = x / divisor
panel_left(p) = box_left + axis_width + ((p - 1) % across) * (panel_width + panel_gap)
panel_top(p) = box_top + key_height + panel_head + ((p - 1) / across) * (panel_head + panel_height + panel_foot)
operations_unit = operations_max >= 2e6 ? 1e6 : operations_max >= 2e3 ? 1e3 : 1
operations_word = operations_unit == 1e6 ? 'million operations' : operations_unit == 1e3 ? 'thousand operations' : 'operations'
last_row(p) = p + across > panel_title_count

do for [format in formats] {
    eval picture_terminal(format)
    set output target.'.'.format
    eval common
    eval frame
    # The key, by hand: one line above the panels.
    key_x = box_left + axis_width
    key_y = box_top + 7
    set object 11 rectangle from screen sx(key_x), sy(key_y+5) to screen sx(key_x+26), sy(key_y-5) fillcolor rgb '#e2e2e2' fillstyle solid 1.0 noborder
    set arrow 12 from screen sx(key_x+75), sy(key_y) to screen sx(key_x+105), sy(key_y) nohead linewidth 1.2 dashtype (9,4) linecolor rgb '#555555'
    set arrow 13 from screen sx(key_x+170), sy(key_y) to screen sx(key_x+200), sy(key_y) nohead linewidth 2.4 linecolor rgb ink
    set arrow 14 from screen sx(key_x+410), sy(key_y) to screen sx(key_x+440), sy(key_y) nohead linewidth 1.4 dashtype (3,5) linecolor rgb ink
    set label 11 'live' at screen sx(key_x+32), sy(key_y)
    set label 12 'usable' at screen sx(key_x+111), sy(key_y)
    set label 13 'held, in the back end''s colour' at screen sx(key_x+206), sy(key_y)
    set label 14 'resident (RSS)' at screen sx(key_x+446), sy(key_y)
    set multiplot
    do for [p=1:panel_title_count] {
        set lmargin at screen sx(panel_left(p))
        set rmargin at screen sx(panel_left(p) + panel_width)
        set tmargin at screen sy(panel_top(p))
        set bmargin at screen sy(panel_top(p) + panel_height)
        set xrange [0 : operations_max / operations_unit]
        set yrange [0 : mib(bytes_max)]
        set border 3 lc rgb muted
        set xtics nomirror out scale 0.5 font small textcolor rgb ink offset 0,0.4
        set ytics nomirror out scale 0.5 font small textcolor rgb ink offset 0.6,0
        set grid ytics lc rgb faint lw 0.5
        unset xlabel
        unset ylabel
        if (last_row(p)) { set xlabel operations_word font small textcolor rgb muted offset 0,0.9 }
        if ((p - 1) % across == 0) { set ylabel unit font small textcolor rgb muted offset 1.5,0 }
        set label 1000 panel_title[p] at screen sx(panel_left(p) + 15), sy(panel_top(p) - 22) left font (strlen(panel_title[p]) > 48 ? tiny : strlen(panel_title[p]) > 36 ? small : bold) textcolor rgb ink
        set label 1002 '' at screen sx(panel_left(p) + 5), sy(panel_top(p) - 22) point pointtype panel_marker[p] pointsize 0.9 linecolor rgb panel_color[p]
        set label 1001 panel_note[p] at screen sx(panel_left(p)), sy(panel_top(p) - 8) left font tiny textcolor rgb (panel_drawn[p] ? muted : alarm)
        plot data index p-1 using ($1/operations_unit):(mib($2)) with filledcurves y=0 fillcolor rgb '#e2e2e2' fillstyle solid 1.0 notitle, \
             '' index p-1 using ($1/operations_unit):(mib($2)) with lines linewidth 0.8 linecolor rgb '#9a9a9a' notitle, \
             '' index p-1 using ($1/operations_unit):($6 == 1 ? 0 : NaN):(0):(mib(bytes_max)) with vectors nohead linewidth 0.6 dashtype (3,3) linecolor rgb '#888888' notitle, \
             '' index p-1 using ($1/operations_unit):(mib($5)) with lines linewidth 1.4 dashtype (3,5) linecolor rgb ink notitle, \
             '' index p-1 using ($1/operations_unit):(mib($3)) with lines linewidth 1.2 dashtype (9,4) linecolor rgb '#555555' notitle, \
             '' index p-1 using ($1/operations_unit):(mib($4)) with lines linewidth 2.4 linecolor rgb panel_color[p] notitle, \
             '' index p-1 using ($1/operations_unit):(mib(bytes_max)):($6 == 1 ? strcol(7) : '') with labels rotate by 90 right font tiny textcolor rgb muted offset 0.55,-0.3 notitle
        unset label
        unset arrow
        unset object
    }
    unset multiplot
    unset output
}
