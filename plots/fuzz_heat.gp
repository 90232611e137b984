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
