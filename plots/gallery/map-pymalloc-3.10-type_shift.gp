# map-pymalloc-3.10-type_shift, by heapmill 0.1.0. `gnuplot map-pymalloc-3.10-type_shift.gp` draws it again from map-pymalloc-3.10-type_shift.tsv; restyle freely.
if (!exists("target")) target = 'map-pymalloc-3.10-type_shift'
if (!exists("formats")) formats = 'svg png'
data = 'map-pymalloc-3.10-type_shift.tsv'
width = 1272
height = 711
box_left = 16
box_top = 59
box_width = 1240
box_height = 608
title_text = 'The heap of pymalloc-3.10 under type_shift: live=20000'
head_line_count = 1
array head_line[1] = ['Arenas from the system, cut into pools, cut into blocks of one size.']
foot_line_count = 2
array foot_line[2] = ['A pool serves blocks of one size, which stands in its head; blocks are in the order of their addresses, row by row. Held is what the back end has from the system. ', 'Made by: heapmill map -b pymalloc-3.10 -w type_shift -p live=20000 --frames 4 -o /tmp/exp/m (heapmill 0.1.0)']

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

# The table is in pixels from the drawing's top left, so the axes are the canvas.
# Live is the darkest and free a pale version of it; cached stands apart; told apart with every common colour blindness.
array kind_color[9] = [0x0b5394, 0xe69f00, 0x9cc9ee, 0xecebe4, 0x333333, 0xb9b9b9, 0xffffff, 0xf6f6f6, 0xffffff]
micro = font_face.',7'
color(k) = kind_color[int(k)+1]
key_name(k) = k == 0 ? 'live' : k == 1 ? 'cached in a free list' : k == 2 ? 'freed, on its pool''s list' : k == 3 ? 'never handed out' : k == 4 ? 'a pool''s head with its block size' : k == 5 ? 'head of an empty pool' : k == 6 ? 'pool not used yet' : 'arena given back'
array key_x[9] = [0, 70, 228, 406, 538, 760, 924, 0, 1060]
do for [format in formats] {
    eval picture_terminal(format)
    set output target.'.'.format
    eval common
    eval frame
    set lmargin at screen 0
    set rmargin at screen 1
    set tmargin at screen 1
    set bmargin at screen 0
    unset border
    unset tics
    set xrange [0:width]
    set yrange [height:0]
    do for [k=0:8] {
        if (k != 7) {
            x = box_left + key_x[k+1]
            y = box_top + 10
            if (k < 6) {
                set object 20+k rectangle from x,y-6 to x+14,y+6 fillcolor rgb kind_color[k+1] fillstyle solid 1.0 noborder
            }
            if (k == 6) {
                set object 20+k rectangle from x,y-6 to x+14,y+6 fillcolor rgb '#ffffff' fillstyle solid 1.0 border lc rgb '#c4c4c4'
            }
            if (k == 8) {
                set object 20+k rectangle from x,y-6 to x+14,y+6 fillcolor rgb '#ffffff' fillstyle solid 1.0 border lc rgb alarm dashtype 2
            }
            set label 20+k key_name(k) at x+20,y left font small textcolor rgb ink
        }
    }
    x0(x) = box_left + x
    y0(y) = box_top + y
    plot data index 0 using ($1 == 7 ? x0($2) : NaN):(y0($3)):(x0($2)):(x0($2+$4)):(y0($3)):(y0($3+$5)) with boxxyerror fillstyle solid 1.0 border lc rgb '#e2e2e2' fillcolor rgb '#f8f8f6' notitle, \
         '' index 0 using ($1 < 6 ? x0($2) : NaN):(y0($3)):(x0($2)):(x0($2+$4)):(y0($3)):(y0($3+$5)):(color($1)) with boxxyerror fillstyle solid 1.0 noborder linecolor rgb variable notitle, \
         '' index 0 using ($1 == 6 ? x0($2) : NaN):(y0($3)):(x0($2)):(x0($2+$4)):(y0($3)):(y0($3+$5)) with boxxyerror fillstyle solid 1.0 border lc rgb '#d4d4d4' fillcolor rgb '#ffffff' linewidth 0.5 notitle, \
         '' index 0 using ($1 == 8 ? x0($2) : NaN):(y0($3)):(x0($2)):(x0($2+$4)):(y0($3)):(y0($3+$5)) with boxxyerror fillstyle empty border linecolor rgb alarm dashtype 2 notitle, \
         '' index 1 using ($1 == 0 ? x0($2) : NaN):(y0($3)):4 with labels center font micro textcolor rgb '#ffffff' notitle, \
         '' index 1 using ($1 == 1 ? x0($2) : NaN):(y0($3)):4 with labels center font micro textcolor rgb '#333333' notitle, \
         '' index 1 using ($1 == 2 ? x0($2) : NaN):(y0($3)):4 with labels left font tiny textcolor rgb ink notitle, \
         '' index 1 using ($1 == 3 ? x0($2) : NaN):(y0($3)):4 with labels left font bold textcolor rgb ink notitle, \
         '' index 1 using ($1 == 4 ? x0($2) : NaN):(y0($3)):4 with labels left font small textcolor rgb muted notitle
    unset output
}
