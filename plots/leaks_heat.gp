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
