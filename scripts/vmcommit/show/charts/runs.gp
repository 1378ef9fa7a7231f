# What the charts of several runs share: a line for each run in each panel. A panel's file has a
# block for each run.
load 'sizes.gp'
set xlabel 'size of the region, all of it touched'
file(panel) = sprintf('panel%d.dat', panel)
block(run) = sprintf('"%d"', run)
