# One panel a back end on common axes: the area is what the workload has live, the lines what that costs.
mib(x) = 1.0 * x / divisor
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
        set xrange [0 : 1.0 * operations_max / operations_unit]
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
