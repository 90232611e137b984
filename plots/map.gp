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
