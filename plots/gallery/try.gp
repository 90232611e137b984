# try: the figure "bars" of heapmill 0.1.0. `gnuplot try.gp` draws it again from try.tsv;
# restyle freely, nothing has to be measured for that.
if (!exists("target")) target = 'try'
if (!exists("formats")) formats = 'svg png'
data = 'try.tsv'

# The canvas and the drawing's box in it, in pixels from the top left.
width = 760
height = 308
box_left = 16
box_top = 76
box_width = 728
box_height = 132
title_text = 'Peak of the tree''s memory, relative to as-is:preload'
head_line_count = 2
array head_line[2] = ['Lower (to the left) is better. Bar: median of the paired ratios; whisker: its 95% interval; dots: the', 'rounds; grey band: noise floor; ≈: no difference; »: beyond the axis.']
foot_line_count = 6
array foot_line[6] = ['Fill of the bars: solid preload, pale inline, striped call and call-sized, cross-hatched preload-sized.', 'Base as-is:preload. Arms: preload. Paired rounds: 8. Noise floor ±0% (median; 1 A/A pairs). No filter: everything that was measured', 'is shown.', 'Host vm: AMD EPYC, 2 cores, kernel 6.18.44-fc-v1045, huge pages madvise, libc 2.36. heapmill 0.1.0, run of 2026-12-01T14:10:15Z.', 'Measured by: heapmill try -b mimalloc,jemalloc,tcmalloc --rounds 8 -o words -- perl -e ''my %h; push @{$h{$_ * 7919 % 50021}}, [$_,', '"v$_"] for 1 .. 150000; print scalar(keys %h), "\n"''']
noise_floor = 0

# The rows: a colour and marker for each back end, a dash for each arm.
row_label_count = 4
array row_label[4] = ['mimalloc:preload', 'jemalloc:preload', 'tcmalloc:preload', 'as-is:preload']
row_color_count = 4
array row_color[4] = [0xeb8d2b, 0xa32904, 0x7b4490, 0x612100]
row_marker_count = 4
array row_marker[4] = [11, 12, 6, 5]
row_dash_count = 4
array row_dash[4] = ['solid', 'solid', 'solid', 'solid']

# The figure's own.
absolute = 0
divisor = 1
unit = ''
panel_label_count = 1
array panel_label[1] = ['perl']
row_fill_count = 4
array row_fill[4] = ['solid 1.0', 'solid 1.0', 'solid 1.0', 'solid 1.0']
across = 1
label_width = 134
panel_width = 300
panel_head = 30
panel_foot = 34
panel_gap = 62
bar_height = 17
ratio_low = 0.695652174
ratio_high = 1.4375

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

# One panel a workload, one bar a row, the same rows in every panel. Ratios are on a logarithmic axis and bars
# start at the base's 1; the metric itself is on a linear one that starts at 0.
figure_of(v) = v < 0.995 ? sprintf('%.2f', v) : v < 9.95 ? sprintf('%.2f', v) : v < 99.5 ? sprintf('%.1f', v) : sprintf('%.0f', v)
only(condition, x) = condition ? x : NaN
# A cell without a figure has no bar, whatever a comparison with NaN may say.
drawn(v) = v ne 'failed' && v ne 'not applicable' && v ne 'not planned'
shown(v) = drawn(v) && (absolute || v ne 'base')
value_text(v, x) = v eq 'base' && !absolute ? '1 (base)' : figure_of(x).(x > largest || x < smallest ? ' »' : v eq 'no difference' ? ' ≈' : '')
start = absolute ? 0 : 1
# Spreads the rounds over the bar's height, the same way each time.
jitter(round) = 0.28 * (2.0 * (0.618034 * round - floor(0.618034 * round)) - 1)
panel_left(p) = box_left + label_width + ((p - 1) % across) * (panel_width + panel_gap)
panel_top(p) = box_top + panel_head + ((p - 1) / across) * (panel_head + panel_foot + row_label_count * bar_height)

do for [format in formats] {
    eval picture_terminal(format)
    set output target.'.'.format
    eval common
    eval frame
    set multiplot
    do for [p=1:panel_label_count] {
        set lmargin at screen sx(panel_left(p))
        set rmargin at screen sx(panel_left(p) + panel_width)
        set tmargin at screen sy(panel_top(p))
        set bmargin at screen sy(panel_top(p) + row_label_count * bar_height)
        set yrange [row_label_count + 0.5 : 0.5]
        unset object
        set border 1 lc rgb muted
        set xtics nomirror out scale 0.5 font small textcolor rgb ink offset 0,0.4 autofreq
        set ytics 1 format '' scale 0
        set grid xtics ytics lt 1 lc rgb faint lw 0.5
        largest = absolute ? 1.0 * panel_high[p] / divisor : ratio_high
        smallest = absolute ? 0 : ratio_low
        if (absolute) { set xrange [0 : largest] }
        if (!absolute) {
            set logscale x 2
            set xrange [ratio_low : ratio_high]
            set xtics ('1/16' 1.0/16, '1/8' 1.0/8, '1/4' 0.25, '1/2' 0.5, '1' 1, '2' 2, '4' 4, '8' 8, '16' 16)
            if (ratio_low > 0.5 && ratio_high < 2) { set xtics ('0.6' 0.6, '0.7' 0.7, '0.8' 0.8, '0.9' 0.9, '1' 1, '1.1' 1.1, '1.25' 1.25, '1.5' 1.5, '1.75' 1.75) }
            if (noise_floor > 0) { set object 1 rectangle from first 1/(1+noise_floor), graph 0 to first 1+noise_floor, graph 1 behind fillcolor rgb '#d0d0d0' fillstyle solid 1.0 noborder }
        }
        set label 1000 panel_label[p] at screen sx(panel_left(p)), sy(panel_top(p) - 10) left font bold textcolor rgb ink
        set label 1001 unit at screen sx(panel_left(p) + panel_width), sy(panel_top(p) - 10) right font small textcolor rgb muted
        if ((p - 1) % across == 0) {
            do for [i=1:row_label_count] {
                eval row_name(i, panel_left(p) - 6, 'small')
            }
        }
        clip(v) = v > largest ? largest : v < smallest ? smallest : v
        # Fill styles are no expressions, so the bars' part of the command is put together as text.
        bars = ''
        do for [i=1:row_label_count] {
            bars = bars.sprintf("data index 2*(p-1) every ::%d::%d using (start):(shown(strcol(2)) ? $1 : NaN):(start):(clip($3/divisor)):($1-0.36):($1+0.36) with boxxyerror fillstyle %s border rgb %d fillcolor rgb %d, ", i-1, i-1, row_fill[i], row_color[i], row_color[i])
        }
        points_part = "data index 2*(p-1)+1 using (clip($2/divisor)):($1+jitter($3)) with points pointtype 7 pointsize 0.25 linecolor rgb '#a0000000', "
        whiskers = "data index 2*(p-1) using (clip($3/divisor)):(shown(strcol(2)) && $4 > 0 ? $1 : NaN):(clip($4/divisor)):(clip($5/divisor)) with xerrorbars pointtype 0 linewidth 1.2 linecolor rgb ink, "
        values = "data index 2*(p-1) using (largest):1:(drawn(strcol(2)) ? value_text(strcol(2), $3/divisor) : '') with labels left offset 0.6,0 font small textcolor rgb ink, "
        failed = "data index 2*(p-1) using (largest):1:(strcol(2) eq 'failed' ? 'failed' : '') with labels left offset 0.6,0 font small_bold textcolor rgb alarm, "
        cannot = "data index 2*(p-1) using (largest):1:(strcol(2) eq 'not applicable' ? 'n/a' : '') with labels left offset 0.6,0 font small textcolor rgb muted"
        eval 'plot '.bars.points_part.whiskers.values.failed.cannot
        unset label
    }
    unset multiplot
    unset output
}
