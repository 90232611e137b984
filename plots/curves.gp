# Panels of curves: a row has its colour, marker and dash in each of them, and its name in the legend.
panel_left(p) = box_left + axis_width + ((p - 1) % across) * (axis_width + panel_width)
panel_top(p) = box_top + panel_head + ((p - 1) / across) * (panel_head + panel_height + panel_foot)
legend_left = box_left + across * (axis_width + panel_width) + legend_gap

# Ticks of a logarithmic axis: the shorter it is, the more of a decade. ns: the values are times in ns.
time_text(v) = v < 1e3 ? sprintf('%g ns', v) : v < 1e6 ? sprintf('%g µs', v / 1e3) : v < 1e9 ? sprintf('%g ms', v / 1e6) : sprintf('%g s', v / 1e9)
number_text(v) = v < 1e4 ? sprintf('%g', v) : v < 1e6 ? sprintf('%gk', v / 1e3) : sprintf('%gM', v / 1e6)
tic_steps(ratio) = ratio <= 1.6 ? '1 1.1 1.2 1.3 1.4 1.5 1.6 1.8 2 2.2 2.5 2.7 3 3.5 4 4.5 5 6 7 8 9' : ratio <= 4 ? '1 1.2 1.5 2 2.5 3 4 5 6 8' : ratio <= 10 ? '1 1.5 2 3 4 5 7' : ratio <= 2000 ? '1 2 5' : '1'
tic_value(e, step) = (0.0 + step) * 10.0**e
tic_shows(v, low, high) = v >= low && v <= high
tic_text(v, ns) = sprintf("'%s' %.10g,", ns ? time_text(v) : number_text(v), v)
# gnuplot's functions have no loops, hence recursion: over the steps of a decade, and over the decades.
tic_decade(e, i, steps, low, high, ns) = i > words(steps) ? '' : (tic_shows(tic_value(e, word(steps, i)), low, high) ? tic_text(tic_value(e, word(steps, i)), ns) : '').tic_decade(e, i + 1, steps, low, high, ns)
tic_decades(e, steps, low, high, ns) = e > log10(high) ? '' : tic_decade(e, 1, steps, low, high, ns).tic_decades(e + 1, steps, low, high, ns)
tic_list(list) = strlen(list) > 0 ? '('.list[1:strlen(list)-1].')' : 'autofreq'
log_tics(low, high, ns) = tic_list(tic_decades(floor(log10(low)), tic_steps(1.0 * high / low), low, high, ns))

do for [format in formats] {
    eval picture_terminal(format)
    set output target.'.'.format
    eval common
    eval frame
    do for [i=1:row_label_count] {
        y = box_top + panel_head + legend_line * (i - 0.5)
        eval sprintf("set arrow %d from screen sx(%d), sy(%d) to screen sx(%d), sy(%d) nohead linewidth 1.8 dashtype %s linecolor rgb %d", 500+i, legend_left, y, legend_left+26, y, row_dash[i], row_color[i])
        set label 500+i row_label[i] at screen sx(legend_left + 34), sy(y) left font small textcolor rgb ink
        set label 800+i '' at screen sx(legend_left + 13), sy(y) point pointtype row_marker[i] pointsize 0.8 linecolor rgb row_color[i]
    }
    set multiplot
    do for [p=1:panel_title_count] {
        set lmargin at screen sx(panel_left(p))
        set rmargin at screen sx(panel_left(p) + panel_width)
        set tmargin at screen sy(panel_top(p))
        set bmargin at screen sy(panel_top(p) + panel_height)
        unset logscale
        if (panel_log_x[p]) { set logscale x 10 }
        if (panel_log_y[p]) { set logscale y 10 }
        set xrange [panel_x_low[p] : panel_x_high[p]]
        set yrange [panel_y_low[p] : panel_y_high[p]]
        set border 3 lc rgb muted
        # Thousands and more are short as 10k; parts of one would be read as minutes: 0.01, not 10m.
        set format x (panel_log_x[p] && panel_x_high[p] > 9999 ? '%.0s%c' : panel_x_high[p] > 99999 ? '%.1s%c' : '%g')
        set format y '%g'
        set xtics autofreq nomirror out scale 0.5 font small textcolor rgb ink offset 0,0.3
        set ytics autofreq nomirror out scale 0.5 font small textcolor rgb ink offset 0.4,0
        # Over few decades the powers of ten alone would say little; numbers of threads are powers of two.
        if (!panel_percentiles[p] && panel_log_x[p] && 1.0 * panel_x_high[p] / panel_x_low[p] <= 400) { eval 'set xtics '.log_tics(panel_x_low[p], panel_x_high[p], 0) }
        if (panel_x_label[p] eq 'threads' && panel_log_x[p]) { set xtics (1,2,3,4,6,8,12,16,24,32,48,64,96,128) }
        if (!panel_percentiles[p] && panel_log_y[p] && 1.0 * panel_y_high[p] / panel_y_low[p] <= 400) { eval 'set ytics '.log_tics(panel_y_low[p], panel_y_high[p], 0) }
        if (panel_percentiles[p]) { set xtics ('p50' 2, 'p90' 10, 'p99' 100, 'p99.9' 1e3, 'p99.99' 1e4, 'p99.999' 1e5, 'p99.9999' 1e6); eval 'set ytics '.log_tics(panel_y_low[p], panel_y_high[p], 1) }
        set grid xtics ytics lc rgb faint lw 0.5
        set xlabel panel_x_label[p] font small textcolor rgb muted offset 0,0.5
        set ylabel panel_y_label[p] font small textcolor rgb muted offset 0.6,0
        set label 1000 panel_title[p] at screen sx(panel_left(p)), sy(panel_top(p) - 14) left font bold textcolor rgb ink
        if (panel_steps[p]) {
            plot for [c=panel_first[p]:panel_last[p]] data index c-1 using 1:2 with steps linewidth 1.6 linecolor rgb row_color[curve_row[c]] notitle
        } else {
            command = 'plot '
            do for [c=panel_first[p]:panel_last[p]] {
                command = command.sprintf("data index %d using 1:2 with linespoints linewidth 1.8 dashtype %s pointtype %d pointsize 0.8 pointinterval %d linecolor rgb %d notitle, ", c-1, row_dash[curve_row[c]], row_marker[curve_row[c]], curve_every[c], row_color[curve_row[c]])
            }
            eval command[1:strlen(command)-2]
        }
        unset label
        unset arrow
    }
    unset multiplot
    unset output
}
