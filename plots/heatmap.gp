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
